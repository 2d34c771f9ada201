/** The broker's half: projected service-account tokens of any Kubernetes cluster. */

import { createHash } from 'node:crypto'
import { type Facts, ProofError } from '../contract/errors.ts'
import type { Attributes, UnverifiedProof, VerifiedProof } from '../contract/proof.ts'
import type { InspectedProof, Ports, ProofVerifier, TrustedIssuer, VerifierProvider } from '../contract/provider.ts'
import { createClaimsLedger } from '../kit/claims.ts'
import { type CompactJws, readIssuerHint } from '../kit/compact-jws.ts'
import { UPSTREAM_TIMEOUT_MS } from '../kit/http.ts'
import { createIssuerHttp, followFile } from '../kit/issuer-http.ts'
import { checkJwtClaims, type JwtRules, openJwt, untrustedIssuer, verifyJwtSignature } from '../kit/jwt-proof.ts'
import { createRemoteKeySet, createStaticKeySet, type KeySet } from '../kit/key-set.ts'
import { fetchDiscoveredKeys, fetchKeys } from '../kit/key-source.ts'
import { attributesOf, KUBERNETES_ATTRIBUTES, KUBERNETES_PINS } from './attributes.ts'
import { readServiceAccountClaims, type ServiceAccountClaims } from './claims.ts'
import {
  findKubernetesConflict,
  KUBERNETES_SETTINGS_SHAPE,
  type KubernetesSettings,
  parseKubernetesSettings,
} from './settings.ts'
import { createTokenReviewer, type TokenReviewer } from './token-review.ts'

/** What API servers sign with. @see {@link https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/ --service-account-signing-key-file} */
const ALGORITHMS = ['RS256', 'ES256', 'ES384', 'ES512'] as const

/** A day: EKS and AKS let an operator ask for that much, and only the automatically mounted API token lives longer. */
const MAX_LIFETIME_SECONDS = 86_400

const JWT_TYPES = [
  'urn:ietf:params:oauth:token-type:jwt',
  'urn:ietf:params:oauth:token-type:id_token',
  'urn:ietf:params:oauth:token-type:access_token',
] as const

export const kubernetesVerifier: VerifierProvider<KubernetesSettings> = {
  name: 'kubernetes',
  subjectTokenTypes: JWT_TYPES,
  attributes: KUBERNETES_ATTRIBUTES,
  pins: KUBERNETES_PINS,
  settingsShape: KUBERNETES_SETTINGS_SHAPE,
  parseSettings: parseKubernetesSettings,
  findConflict: findKubernetesConflict,
  createVerifier,
}

/** One cluster of a trusted issuer: what a proof with this `iss` is checked with. */
interface Cluster {
  readonly trusted: TrustedIssuer<KubernetesSettings>
  readonly rules: JwtRules
  readonly keys: KeySet
  /** The key ids, where they are written in the document. */
  readonly inlineKeyIds: ReadonlySet<string> | undefined
  readonly reviewer: TokenReviewer | undefined
}

function createVerifier(trusted: readonly TrustedIssuer<KubernetesSettings>[], ports: Ports): ProofVerifier {
  const clusters = new Map<string, Cluster[]>()
  for (const issuer of trusted) {
    const reviewer = createReviewer(issuer, ports)
    for (const iss of issuer.settings.issuers) {
      clusters.set(iss, [...(clusters.get(iss) ?? []), createCluster(issuer, iss, reviewer, ports)])
    }
  }
  return {
    provider: 'kubernetes',
    recognises: (proof, subjectTokenType) => isJwtType(subjectTokenType) && clusters.has(readIssuerHint(proof) ?? ''),
    verify: (proof) => verify(proof, clusters, ports),
    inspect: (proof) => inspect(proof, clusters, ports),
  }
}

function isJwtType(subjectTokenType: string): boolean {
  return JWT_TYPES.some((type) => type === subjectTokenType)
}

async function verify(
  proof: UnverifiedProof,
  clusters: ReadonlyMap<string, readonly Cluster[]>,
  ports: Ports,
): Promise<VerifiedProof> {
  const { jws, issuer } = openJwt(proof, ALGORITHMS)
  const cluster = chooseCluster(clusters, issuer, jws)
  try {
    await verifyJwtSignature(jws, cluster.keys)
    const { workload, attributes, checked } = readWorkload(jws, cluster, ports)
    const trustedIssuer = cluster.trusted.name
    const unknown = checked.claims.unknown()
    if (unknown > 0) ports.observe({ kind: 'unknown_claims', trustedIssuer, count: unknown })
    await cluster.reviewer?.review(proof, checked.audience, workload)
    return {
      provider: 'kubernetes',
      trustedIssuer,
      issuer,
      subject: workload.subject,
      instance: workload.pod?.name,
      audience: checked.audience,
      issuedAt: checked.issuedAt,
      expiresAt: checked.expiresAt,
      // The kubelet hands the same token to its pod until it is due for renewal, so it comes again and again.
      replay: { key: JSON.stringify([trustedIssuer, issuer, replayId(workload, jws)]), singleUse: false },
      live: cluster.reviewer !== undefined,
      attributes,
    }
  } catch (error) {
    throw error instanceof ProofError ? error.from({ trustedIssuer: cluster.trusted.name, issuer }) : error
  }
}

/** Clusters that share one `iss` have their keys in the document, and are told apart by which of them has the proof's key. */
function chooseCluster(clusters: ReadonlyMap<string, readonly Cluster[]>, issuer: string, jws: CompactJws): Cluster {
  const candidates = clusters.get(issuer) ?? []
  const [only, ...others] = candidates
  if (only === undefined) throw untrustedIssuer(issuer)
  if (others.length === 0) return only
  const chosen = candidates.find((cluster) => cluster.inlineKeyIds?.has(jws.keyId ?? '') === true)
  if (chosen === undefined) throw new ProofError('key_unknown', 'none of the clusters with this issuer has this key')
  return chosen
}

function readWorkload(jws: CompactJws, cluster: Cluster, ports: Ports) {
  const checked = checkJwtClaims(jws, cluster.rules, ports.now())
  const workload = readServiceAccountClaims(checked.claims)
  return { checked, workload, attributes: attributesOf(workload) }
}

function inspect(
  proof: UnverifiedProof,
  clusters: ReadonlyMap<string, readonly Cluster[]>,
  ports: Ports,
): InspectedProof {
  const found: { trustedIssuer?: string; attributes: Attributes; facts: Facts } = { attributes: new Map(), facts: {} }
  try {
    const { jws, issuer } = openJwt(proof, ALGORITHMS)
    const cluster = chooseCluster(clusters, issuer, jws)
    found.trustedIssuer = cluster.trusted.name
    const workload = readServiceAccountClaims(createClaimsLedger(jws.claims))
    found.attributes = attributesOf(workload)
    found.facts = { issuer, subject: workload.subject }
    checkJwtClaims(jws, cluster.rules, ports.now())
    return { trustedIssuer: found.trustedIssuer, attributes: found.attributes, trouble: undefined, facts: found.facts }
  } catch (error) {
    if (!(error instanceof ProofError)) throw error
    const { trustedIssuer, attributes, facts } = found
    return { trustedIssuer, attributes, trouble: error, facts: { ...facts, ...error.facts } }
  }
}

function createCluster(
  trusted: TrustedIssuer<KubernetesSettings>,
  iss: string,
  reviewer: TokenReviewer | undefined,
  ports: Ports,
): Cluster {
  const { keys } = trusted.settings
  const maxLifetimeSeconds = MAX_LIFETIME_SECONDS
  const rules = { algorithms: ALGORITHMS, maxLifetimeSeconds, proofAudiences: trusted.proofAudiences, isReusable: true }
  if (keys.from === 'inline') {
    const members = keys.jwks.keys
    const inlineKeyIds = new Set(members.map((key) => String(key.kid)))
    return { trusted, rules, keys: createStaticKeySet(members), inlineKeyIds, reviewer }
  }
  return { trusted, rules, keys: recallKeySet(trusted, iss, ports), inlineKeyIds: undefined, reviewer }
}

/** Key sets outlive a reload of the document, unless it changes where or how they are fetched. */
function recallKeySet(trusted: TrustedIssuer<KubernetesSettings>, iss: string, ports: Ports): KeySet {
  const { keys, privateHosts, caFile } = trusted.settings
  const id = JSON.stringify(['kubernetes keys', trusted.name, iss, keys, privateHosts, caFile])
  return ports.memory.recall(id, () => {
    const http = createIssuerHttp({ trustedIssuer: trusted.name, privateHosts, caFile }, ports)
    const fetch = async () => {
      const signal = AbortSignal.timeout(UPSTREAM_TIMEOUT_MS)
      const client = await http()
      return keys.from === 'url' ? fetchKeys(client, keys.url, signal) : fetchDiscoveredKeys(client, iss, signal)
    }
    return createRemoteKeySet({ trustedIssuer: trusted.name, fetch, now: ports.now, observe: ports.observe })
  })
}

function createReviewer(trusted: TrustedIssuer<KubernetesSettings>, ports: Ports): TokenReviewer | undefined {
  const { tokenReview, privateHosts, caFile } = trusted.settings
  if (tokenReview === undefined) return undefined
  const id = JSON.stringify(['kubernetes review', trusted.name, tokenReview, privateHosts, caFile])
  return ports.memory.recall(id, () => {
    const { host } = new URL(tokenReview.apiServer)
    const http = createIssuerHttp(
      {
        trustedIssuer: trusted.name,
        privateHosts: tokenReview.caFile === undefined ? privateHosts : [...privateHosts, host],
        caFile: tokenReview.caFile ?? caFile,
      },
      ports,
    )
    const readCredential = followFile(tokenReview.tokenFile, ports)
    return createTokenReviewer({ http, apiServer: tokenReview.apiServer, readCredential, now: ports.now })
  })
}

function replayId(workload: ServiceAccountClaims, jws: CompactJws): string {
  return workload.tokenId ?? createHash('sha256').update(jws.signingInput).digest('base64url')
}
