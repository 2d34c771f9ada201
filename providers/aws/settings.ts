/** What Terraform says of AWS accounts. */

import { z } from 'zod'
import type { SettingsProblem } from '../contract/errors.ts'
import type { SettingsContext, TrustedIssuer } from '../contract/provider.ts'
import { findIssuerUrlProblem } from '../kit/issuer-url.ts'
import { findKeysProblems, type KeysSetting, keysSchema } from '../kit/key-source.ts'
import { fileNameSchema, parseShape, privateHostsSchema, refuseProblems } from '../kit/settings.ts'
import { authorityOf, findUrlProblem, type HostAllowance } from '../kit/upstream-url.ts'
import { PRINCIPAL_KINDS, type PrincipalKind } from './arn.ts'
import { ENDPOINT_KINDS, type EndpointKind, findEndpoint, PARTITIONS, type Partition, regionsOf } from './endpoints.ts'

const accountSchema = z
  .strictObject({
    web_identity_issuer: z
      .string()
      .max(512)
      .optional()
      .describe(
        'The exact iss of this account’s web-identity tokens, as iam:GetOutboundWebIdentityFederationInfo tells it.',
      ),
    keys: keysSchema.optional(),
  })
  .describe('An account; an empty object where it has no web-identity tokens.')

/** The members of a trusted issuer of AWS, as they stand in the document. */
export const AWS_SETTINGS_SHAPE = {
  partition: z.enum(PARTITIONS).default('aws').describe('The partition that the accounts are in.'),
  accounts: z
    .record(z.string().regex(/^\d{12}$/, 'name an account by its twelve digits'), accountSchema)
    .refine((accounts) => Object.keys(accounts).length > 0, 'name an account')
    .describe('The accounts whose roles are taken. An account stands in one trusted issuer alone.'),
  regions: z
    .array(z.string())
    .min(1, 'name a region, or leave the member out')
    .max(64)
    .optional()
    .describe('Regions whose STS may confirm signed requests; every region of the partition by default.'),
  endpoints: z
    .array(z.enum(ENDPOINT_KINDS))
    .min(1, 'name a kind of endpoint, or leave the member out')
    .default(['regional'])
    .describe('Kinds of STS hosts that requests may be signed for.'),
  principals: z
    .array(z.enum(PRINCIPAL_KINDS))
    .min(1, 'name a kind of principal, or leave the member out')
    .default(['role'])
    .describe('Kinds of principals that are taken. Root and federated users never are.'),
  sts_endpoint: z
    .string()
    .max(512)
    .optional()
    .describe('Asked instead of STS, by STS’s name: development and tests, with --insecure-host.'),
  private_hosts: privateHostsSchema.optional(),
  ca_file: fileNameSchema.optional(),
} as const

const settingsSchema = z.strictObject(AWS_SETTINGS_SHAPE)

/** Settings of a trusted issuer, checked. */
export interface AwsSettings {
  readonly partition: Partition
  readonly accounts: ReadonlyMap<string, AccountSettings>
  readonly regions: readonly string[]
  readonly endpoints: readonly EndpointKind[]
  readonly principals: readonly PrincipalKind[]
  readonly stsEndpoint: string | undefined
  readonly privateHosts: readonly string[]
  readonly caFile: string | undefined
}

export interface AccountSettings {
  /** Undefined where only signed requests of this account are taken. */
  readonly webIdentityIssuer: string | undefined
  readonly keys: KeysSetting
}

type Shape = z.output<typeof settingsSchema>
type AccountShape = z.output<typeof accountSchema>

/** Reads the settings of a trusted issuer. Throws {@link SettingsError} with every problem and its path. */
export function parseAwsSettings(settings: unknown, context: SettingsContext): AwsSettings {
  const shape = parseShape(settingsSchema, settings)
  const allowance = { privateHosts: shape.private_hosts ?? [], insecureHosts: context.insecureHosts }
  refuseProblems([
    ...findRegionProblems(shape),
    ...Object.entries(shape.accounts).flatMap(([id, account]) => findAccountProblems(id, account, allowance)),
    ...findRepeatedIssuers(shape.accounts),
    ...findStsEndpointProblems(shape, allowance),
  ])
  return {
    partition: shape.partition,
    accounts: new Map(Object.entries(shape.accounts).map(([id, account]) => [id, toAccountSettings(account)])),
    regions: shape.regions ?? regionsOf(shape.partition),
    endpoints: shape.endpoints,
    principals: shape.principals,
    stsEndpoint: shape.sts_endpoint,
    privateHosts: allowance.privateHosts,
    caFile: shape.ca_file,
  }
}

function toAccountSettings({ web_identity_issuer: webIdentityIssuer, keys }: AccountShape): AccountSettings {
  return { webIdentityIssuer, keys: keys ?? { from: 'discovery' } }
}

/**
 * An account, and a web-identity issuer, belongs to one trusted issuer. Those of one partition ask the same STS, and believe the
 * same authority, because which of them a signed request is for is known only after STS has answered.
 */
export function findAwsConflict(
  { settings: one }: TrustedIssuer<AwsSettings>,
  { settings: other }: TrustedIssuer<AwsSettings>,
): string | undefined {
  if (one.partition === other.partition) {
    const shared = [...one.accounts.keys()].find((id) => other.accounts.has(id))
    if (shared !== undefined) return `both name the account ${shared}`
    if (one.stsEndpoint !== other.stsEndpoint) return 'both are in one partition and name different sts_endpoint'
    if (one.caFile !== other.caFile) return 'both are in one partition and name different ca_file'
  }
  const issuers = issuersOf(one)
  const issuer = issuersOf(other).find((name) => issuers.includes(name))
  return issuer === undefined ? undefined : `both name the web-identity issuer ${issuer}`
}

/** Gives the web-identity issuers of all accounts. */
export function issuersOf({ accounts }: AwsSettings): readonly string[] {
  return [...accounts.values()].flatMap(({ webIdentityIssuer }) => webIdentityIssuer ?? [])
}

function findRegionProblems({ partition, regions = [] }: Shape): SettingsProblem[] {
  const known = regionsOf(partition)
  return regions.flatMap((region, index) => {
    if (known.includes(region)) return []
    const message = `${region} is not a region of ${partition} that this version knows`
    return [{ path: ['regions', index], code: 'region_unknown', message }]
  })
}

function findAccountProblems(
  id: string,
  { web_identity_issuer: issuer, keys }: AccountShape,
  allowance: HostAllowance,
): SettingsProblem[] {
  const path = ['accounts', id]
  if (issuer === undefined) {
    if (keys === undefined) return []
    return [{ path: [...path, 'keys'], code: 'keys_unused', message: 'keys go with a web_identity_issuer' }]
  }
  const problem = findIssuerUrlProblem(issuer, keys?.from ?? 'discovery', allowance)
  const wrong = [{ path: [...path, 'web_identity_issuer'], code: 'issuer_refused', message: `the issuer ${problem}` }]
  const ofKeys = keys === undefined ? [] : findKeysProblems(keys, allowance)
  return [
    ...(problem === undefined ? [] : wrong),
    ...ofKeys.map((found) => ({ ...found, path: [...path, ...found.path] })),
  ]
}

function findRepeatedIssuers(accounts: Shape['accounts']): SettingsProblem[] {
  const entries = Object.entries(accounts).map(([id, account]) => ({ id, issuer: account.web_identity_issuer }))
  return entries.flatMap(({ id, issuer }, index) => {
    const twin = entries.slice(0, index).find((earlier) => issuer !== undefined && earlier.issuer === issuer)
    if (twin === undefined) return []
    const message = `the account ${twin.id} has the same web_identity_issuer: every account has its own`
    return [{ path: ['accounts', id, 'web_identity_issuer'], code: 'issuer_refused', message }]
  })
}

/** STS's own host of the partition, or a host that the operator named as insecure. */
function findStsEndpointProblems(
  { sts_endpoint: text, partition }: Shape,
  allowance: HostAllowance,
): SettingsProblem[] {
  if (text === undefined) return []
  const refuse = (message: string) => [
    { path: ['sts_endpoint'], code: 'url_refused', message: `the STS endpoint ${message}` },
  ]
  const problem = findUrlProblem(text, allowance)
  if (problem !== undefined) return refuse(problem)
  const url = new URL(text)
  if (url.pathname !== '/' || url.search !== '' || text.includes('?'))
    return refuse('must be a URL without path and query')
  const isInsecure = allowance.insecureHosts.has(authorityOf(url))
  const isStsHost = url.port === '' && findEndpoint(url.hostname)?.partition === partition
  return isInsecure || isStsHost
    ? []
    : refuse(`is no STS host of ${partition}: leave it out, or name it with --insecure-host`)
}
