/** What Terraform says of a Kubernetes cluster, or of several under one name. */

import { z } from 'zod'
import type { SettingsProblem } from '../contract/errors.ts'
import type { SettingsContext, TrustedIssuer } from '../contract/provider.ts'
import { findIssuerUrlProblem } from '../kit/issuer-url.ts'
import { findKeysProblems, type KeysSetting, keysSchema } from '../kit/key-source.ts'
import { fileNameSchema, parseShape, privateHostsSchema, refuseProblems } from '../kit/settings.ts'
import { authorityOf, findUrlProblem, type HostAllowance } from '../kit/upstream-url.ts'

const tokenReviewSchema = z.strictObject({
  api_server: z.string().describe('The API server that reviews tokens.'),
  ca_file: fileNameSchema.optional(),
  token_file: fileNameSchema.describe(
    'The credential of the reviewer, which may create token reviews and nothing else.',
  ),
})

/** The members of a trusted issuer of Kubernetes, as they stand in the document. */
export const KUBERNETES_SETTINGS_SHAPE = {
  issuers: z
    .array(z.string().max(512))
    .min(1)
    .max(64)
    .describe('The exact iss of each cluster, old and rebuilt ones alike.'),
  keys: keysSchema.default({ from: 'discovery' }),
  private_hosts: privateHostsSchema.optional(),
  ca_file: fileNameSchema.optional(),
  token_review: tokenReviewSchema.optional(),
} as const

const settingsSchema = z.strictObject(KUBERNETES_SETTINGS_SHAPE)

/** Settings of a trusted issuer, checked. */
export interface KubernetesSettings {
  readonly issuers: readonly string[]
  readonly keys: KeysSetting
  readonly privateHosts: readonly string[]
  readonly caFile: string | undefined
  readonly tokenReview: TokenReviewSettings | undefined
}

export interface TokenReviewSettings {
  readonly apiServer: string
  readonly caFile: string | undefined
  readonly tokenFile: string
}

/** Reads the settings of a trusted issuer. Throws {@link SettingsError} with every problem and its path. */
export function parseKubernetesSettings(settings: unknown, context: SettingsContext): KubernetesSettings {
  const shape = parseShape(settingsSchema, settings)
  const allowance = { privateHosts: shape.private_hosts ?? [], insecureHosts: context.insecureHosts }
  const review = shape.token_review
  refuseProblems([
    ...shape.issuers.flatMap((issuer, index) => {
      const message = findIssuerProblem(issuer, shape.keys, allowance) ?? findRepetition(shape.issuers, index)
      return message === undefined ? [] : [{ path: ['issuers', index], code: 'issuer_refused', message }]
    }),
    ...findProofAudienceProblems(shape.issuers, context.proofAudiences),
    ...findKeysProblems(shape.keys, allowance),
    ...(review === undefined ? [] : findReviewProblems(review.api_server, review.ca_file, allowance)),
  ])
  return {
    issuers: shape.issuers,
    keys: shape.keys,
    privateHosts: shape.private_hosts ?? [],
    caFile: shape.ca_file,
    tokenReview: review === undefined ? undefined : toReviewSettings(review),
  }
}

/**
 * Two trusted issuers may share an `iss` only where the keys tell their clusters apart: inline on both sides, no kid in common.
 * In-cluster issuers (`https://kubernetes.default.svc…`) are the same string in every cluster.
 */
export function findKubernetesConflict(
  one: TrustedIssuer<KubernetesSettings>,
  other: TrustedIssuer<KubernetesSettings>,
): string | undefined {
  const shared = one.settings.issuers.find((issuer) => other.settings.issuers.includes(issuer))
  if (shared === undefined) return undefined
  const ours = keyIdsOf(one.settings.keys)
  const theirs = keyIdsOf(other.settings.keys)
  if (ours === undefined || theirs === undefined) {
    return `both name the issuer ${shared}: give both their keys inline, so that a proof's kid tells them apart`
  }
  const keyId = ours.find((id) => theirs.includes(id))
  return keyId === undefined ? undefined : `both name the issuer ${shared} and a key with the kid ${keyId}`
}

/** The API server's own names, the same in every cluster, so that discovery under them says nothing about which one answers. */
const IN_CLUSTER = /^kubernetes(\.default(\.svc(\..+)?)?)?\.?$/

function findIssuerProblem(issuer: string, keys: KeysSetting, allowance: HostAllowance): string | undefined {
  if (keys.from === 'discovery' && URL.canParse(issuer) && IN_CLUSTER.test(new URL(issuer).hostname)) {
    return 'the issuer is the same in every cluster: give the keys inline or by url'
  }
  const problem = findIssuerUrlProblem(issuer, keys.from, allowance)
  return problem === undefined ? undefined : `the issuer ${problem}`
}

function findRepetition(issuers: readonly string[], index: number): string | undefined {
  const issuer = issuers[index] ?? ''
  return issuers.indexOf(issuer) < index ? 'the issuer stands in the list twice' : undefined
}

/** A cluster's default API audience is its issuer: proofs made for it are credentials for that cluster. */
function findProofAudienceProblems(issuers: readonly string[], proofAudiences: readonly string[]): SettingsProblem[] {
  const shared = issuers.find((issuer) => proofAudiences.includes(issuer))
  if (shared === undefined) return []
  const message = 'the proof audience is this cluster’s own API audience: choose a name that belongs to the broker'
  return [{ path: ['issuers', issuers.indexOf(shared)], code: 'proof_audience_foreign', message }]
}

function findReviewProblems(
  apiServer: string,
  caFile: string | undefined,
  allowance: HostAllowance,
): SettingsProblem[] {
  const path = ['token_review', 'api_server']
  const problem = findUrlProblem(apiServer, caFile === undefined ? allowance : withApiServer(apiServer, allowance))
  if (problem !== undefined) return [{ path, code: 'url_refused', message: `the API server ${problem}` }]
  if (!apiServer.includes('?')) return []
  return [{ path, code: 'url_refused', message: 'the API server must be a URL without a query' }]
}

/** An API server that comes with its own authority is named by that. */
function withApiServer(apiServer: string, allowance: HostAllowance): HostAllowance {
  if (!URL.canParse(apiServer)) return allowance
  return { ...allowance, privateHosts: [...allowance.privateHosts, authorityOf(new URL(apiServer))] }
}

function toReviewSettings(review: z.output<typeof tokenReviewSchema>): TokenReviewSettings {
  return { apiServer: review.api_server.replace(/\/$/, ''), caFile: review.ca_file, tokenFile: review.token_file }
}

function keyIdsOf(keys: KeysSetting): readonly string[] | undefined {
  return keys.from === 'inline' ? keys.jwks.keys.map((key) => String(key.kid)) : undefined
}
