/** What Terraform says of Google: next to nothing, as there is one issuer for all of it. */

import { z } from 'zod'
import type { SettingsContext, TrustedIssuer } from '../contract/provider.ts'
import { findKeysProblems, type KeysSetting, keysSchema } from '../kit/key-source.ts'
import { fileNameSchema, parseShape, privateHostsSchema, refuseProblems } from '../kit/settings.ts'

/** The members of a trusted issuer of Google Cloud, as they stand in the document. */
export const GCP_SETTINGS_SHAPE = {
  keys: keysSchema.default({ from: 'discovery' }),
  private_hosts: privateHostsSchema.optional(),
  ca_file: fileNameSchema.optional(),
} as const

const settingsSchema = z.strictObject(GCP_SETTINGS_SHAPE)

/** Settings of a trusted issuer, checked. */
export interface GcpSettings {
  readonly keys: KeysSetting
  readonly privateHosts: readonly string[]
  readonly caFile: string | undefined
}

/** Reads the settings of a trusted issuer. Throws {@link SettingsError} with every problem and its path. */
export function parseGcpSettings(settings: unknown, context: SettingsContext): GcpSettings {
  const { keys, private_hosts: privateHosts = [], ca_file: caFile } = parseShape(settingsSchema, settings)
  refuseProblems(findKeysProblems(keys, { privateHosts, insecureHosts: context.insecureHosts }))
  return { keys, privateHosts, caFile }
}

/** Google signs all of its identity tokens as one issuer, so that nothing in a proof would tell two trusted issuers apart. */
export function findGcpConflict(_one: TrustedIssuer<GcpSettings>, _other: TrustedIssuer<GcpSettings>): string {
  return 'both take the tokens of https://accounts.google.com: keep one, and tell its workloads apart by bindings'
}
