/** What Terraform says of a tenant of Microsoft Entra. */

import { z } from 'zod'
import type { SettingsContext, TrustedIssuer } from '../contract/provider.ts'
import { findKeysProblems, type KeysSetting, keysSchema } from '../kit/key-source.ts'
import { fileNameSchema, parseShape, privateHostsSchema, refuseProblems } from '../kit/settings.ts'
import { AZURE_CLOUDS, type AzureCloud } from './issuers.ts'
import { lowerAscii } from './lower-ascii.ts'
import { isGuid } from './resource-id.ts'

/** The members of a trusted issuer of Azure, as they stand in the document. */
export const AZURE_SETTINGS_SHAPE = {
  cloud: z.enum(AZURE_CLOUDS).default('public').describe('The cloud that the tenant is in.'),
  tenant_id: z
    .string()
    .refine((text) => isGuid(lowerAscii(text)), 'name the tenant by its id, a GUID: no domain, and not "common"')
    .describe('The one tenant whose managed identities are taken.'),
  keys: keysSchema.default({ from: 'discovery' }),
  private_hosts: privateHostsSchema.optional(),
  ca_file: fileNameSchema.optional(),
} as const

const settingsSchema = z.strictObject(AZURE_SETTINGS_SHAPE)

/** Settings of a trusted issuer, checked. The tenant's id is in lower case, as tokens have it. */
export interface AzureSettings {
  readonly cloud: AzureCloud
  readonly tenantId: string
  readonly keys: KeysSetting
  readonly privateHosts: readonly string[]
  readonly caFile: string | undefined
}

/** Reads the settings of a trusted issuer. Throws {@link SettingsError} with every problem and its path. */
export function parseAzureSettings(settings: unknown, context: SettingsContext): AzureSettings {
  const shape = parseShape(settingsSchema, settings)
  const { cloud, keys, private_hosts: privateHosts = [], ca_file: caFile } = shape
  const tenantId = lowerAscii(shape.tenant_id)
  refuseProblems(findKeysProblems(keys, { privateHosts, insecureHosts: context.insecureHosts }))
  return { cloud, tenantId, keys, privateHosts, caFile }
}

/** A tenant is trusted once: nothing in its tokens would say which of two entries they are for. */
export function findAzureConflict(
  one: TrustedIssuer<AzureSettings>,
  other: TrustedIssuer<AzureSettings>,
): string | undefined {
  const { tenantId } = one.settings
  return tenantId === other.settings.tenantId ? `both name the tenant ${tenantId}: keep one` : undefined
}
