/** The broker's half: projected service-account tokens of any Kubernetes cluster. */

import { ProofError } from '../contract/errors.ts'
import type { Ports, ProofVerifier, TrustedIssuer, VerifierProvider } from '../contract/provider.ts'
import type { CompactJws } from '../kit/compact-jws.ts'
import { createIssuerHttp, followFile } from '../kit/issuer-http.ts'
import { createIssuerKeys } from '../kit/issuer-keys.ts'
import { createJwtVerifier, JWT_TYPES, type JwtTrust, type JwtWorkload } from '../kit/jwt-verifier.ts'
import { fetchDiscoveredKeys } from '../kit/key-source.ts'
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

export const kubernetesVerifier: VerifierProvider<KubernetesSettings> = {
  name: 'kubernetes',
  subjectTokenTypes: JWT_TYPES,
  attributes: KUBERNETES_ATTRIBUTES,
  pins: KUBERNETES_PINS,
  settingsShape: KUBERNETES_SETTINGS_SHAPE,
  parseSettings: parseKubernetesSettings,
  issuersOf: ({ issuers }) => issuers,
  findConflict: findKubernetesConflict,
  createVerifier,
}

/** One cluster of a trusted issuer: what a proof with its `iss` is checked with. */
interface Cluster extends JwtTrust {
  /** The key ids, where they are written in the document. */
  readonly inlineKeyIds: ReadonlySet<string> | undefined
  readonly reviewer: TokenReviewer | undefined
}

interface Pod extends JwtWorkload {
  readonly claims: ServiceAccountClaims
}

function createVerifier(trusted: readonly TrustedIssuer<KubernetesSettings>[], ports: Ports): ProofVerifier {
  const clusters = new Map<string, Cluster[]>()
  for (const issuer of trusted) {
    const reviewer = createReviewer(issuer, ports)
    for (const iss of issuer.settings.issuers) {
      clusters.set(iss, [...(clusters.get(iss) ?? []), createCluster(issuer, iss, reviewer, ports)])
    }
  }
  return createJwtVerifier<Cluster, Pod>(
    {
      provider: 'kubernetes',
      algorithms: ALGORITHMS,
      trusts: clusters,
      choose: chooseCluster,
      readWorkload(ledger) {
        const claims = readServiceAccountClaims(ledger)
        const { subject, tokenId, pod } = claims
        return { subject, tokenId, instance: pod?.name, attributes: attributesOf(claims), claims }
      },
      async confirm(proof, audience, { claims }, { reviewer }) {
        await reviewer?.review(proof, audience, claims)
        return reviewer !== undefined
      },
    },
    ports,
  )
}

/** Clusters that share one `iss` have their keys in the document, and are told apart by which of them has the proof's key. */
function chooseCluster(candidates: readonly [Cluster, ...Cluster[]], jws: CompactJws): Cluster {
  const [only, ...others] = candidates
  if (others.length === 0) return only
  const chosen = candidates.find((cluster) => cluster.inlineKeyIds?.has(jws.keyId ?? '') === true)
  if (chosen === undefined) throw new ProofError('key_unknown', 'none of the clusters with this issuer has this key')
  return chosen
}

function createCluster(
  trusted: TrustedIssuer<KubernetesSettings>,
  iss: string,
  reviewer: TokenReviewer | undefined,
  ports: Ports,
): Cluster {
  const { keys, privateHosts, caFile } = trusted.settings
  return {
    trusted,
    rules: {
      maxLifetimeSeconds: MAX_LIFETIME_SECONDS,
      proofAudiences: trusted.proofAudiences,
      // The kubelet hands the same token to its pod until it is due for renewal, so it comes again and again.
      isReusable: true,
    },
    keys: createIssuerKeys(
      {
        provider: 'kubernetes',
        trustedIssuer: trusted.name,
        issuer: iss,
        keys,
        privateHosts,
        caFile,
        discover: (http, signal) => fetchDiscoveredKeys(http, iss, signal),
      },
      ports,
    ),
    inlineKeyIds: keys.from === 'inline' ? new Set(keys.jwks.keys.map((key) => String(key.kid))) : undefined,
    reviewer,
  }
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
