/** Signed GetCallerIdentity requests: rebuilt from constants, spent once, and confirmed by the STS that they were signed for. */

import { ProofError } from '../contract/errors.ts'
import type { NumericDate, VerifiedProof } from '../contract/proof.ts'
import type { InspectedProof, Ports, ProofRequest, TrustedIssuer } from '../contract/provider.ts'
import { CLOCK_SKEW_SECONDS, plainFacts } from '../kit/jwt-proof.ts'
import { type Principal, readCaller } from './arn.ts'
import { attributesOfPrincipal } from './attributes.ts'
import type { Partition } from './endpoints.ts'
import { readEnvelope } from './envelope.ts'
import type { AwsSettings } from './settings.ts'
import { GOOGLE_AUDIENCE_HEADER, MAX_AGE_SECONDS, type SignedRequest } from './signed-request.ts'
import { createStsClient, type StsClient } from './sts-client.ts'

type Trusted = TrustedIssuer<AwsSettings>

/** All that is trusted of one partition. Which of them a request is for, STS's answer says. */
interface PartitionTrust {
  readonly trusted: readonly Trusted[]
  readonly sts: StsClient
}

export interface SignedRequestVerifier {
  verify(proof: string, request: ProofRequest, signal: AbortSignal): Promise<VerifiedProof>
  inspect(proof: string): InspectedProof
}

export function createSignedRequestVerifier(trusted: readonly Trusted[], ports: Ports): SignedRequestVerifier {
  const partitions = createPartitions(trusted, ports)
  return {
    async verify(proof, { target, clientAddress = '' }, signal) {
      const request = readEnvelope(proof)
      const { trusted: candidates, sts } = checkBeforeSts(request, { partitions, target, ports })
      if (await ports.isSpent(replayKeyOf(request))) throw new ProofError('proof_replayed', 'the proof was used before')
      const principal = readCaller(await sts.whoSigned(request, clientAddress, signal))
      return toVerified(request, principal, chooseIssuer(request, principal, candidates))
    },
    inspect: (proof) => inspect(proof, partitions, ports),
  }
}

function createPartitions(trusted: readonly Trusted[], ports: Ports): ReadonlyMap<Partition, PartitionTrust> {
  const byPartition = Map.groupBy(trusted, ({ settings }) => settings.partition)
  return new Map(
    [...byPartition].map(([partition, issuers]) => [
      partition,
      { trusted: issuers, sts: recallSts(partition, issuers, ports) },
    ]),
  )
}

/** A partition's client outlives a reload of the document, with the refusals that it remembers, unless it would ask elsewhere. */
function recallSts(partition: Partition, issuers: readonly Trusted[], ports: Ports): StsClient {
  const [first] = issuers
  const settings = {
    partition,
    trustedIssuer: partition,
    stsEndpoint: first?.settings.stsEndpoint,
    caFile: first?.settings.caFile,
    privateHosts: [...new Set(issuers.flatMap((issuer) => issuer.settings.privateHosts))].sort(),
  }
  return ports.memory.recall(JSON.stringify(['aws sts', settings]), () => createStsClient(settings, ports))
}

interface Before {
  readonly partitions: ReadonlyMap<Partition, PartitionTrust>
  readonly target: string | undefined
  readonly ports: Pick<Ports, 'now' | 'brokerIssuer'>
}

/** Everything that can be known before STS is asked; a request that nobody could accept costs it nothing. */
function checkBeforeSts(request: SignedRequest, { partitions, target, ports }: Before): PartitionTrust {
  const { endpoint } = request
  const partition = partitions.get(endpoint.partition)
  if (partition === undefined) throw new ProofError('issuer_not_trusted', 'no trusted issuer is in this partition')
  checkAudience(request, target, partition.trusted, ports.brokerIssuer)
  checkAge(request.signedAt, ports.now())
  if (!partition.trusted.some((issuer) => takesEndpoint(issuer, request))) throw endpointRefused(request)
  return partition
}

function checkAudience(
  { audienceHeader, audience }: SignedRequest,
  target: string | undefined,
  trusted: readonly Trusted[],
  brokerIssuer: string,
): void {
  const isForUs =
    audienceHeader === GOOGLE_AUDIENCE_HEADER
      ? audience === target && audience.startsWith(`${brokerIssuer}/audiences/`)
      : trusted.some(({ proofAudiences }) => proofAudiences.includes(audience))
  if (isForUs) return
  throw new ProofError('audience_mismatch', 'the request was signed for another audience', {
    facts: plainFacts('audience', audience),
  })
}

function checkAge(signedAt: NumericDate, now: NumericDate): void {
  if (now - signedAt > MAX_AGE_SECONDS) {
    throw new ProofError('proof_expired', 'the request was signed too long ago', {
      facts: { signed_seconds_ago: now - signedAt },
    })
  }
  if (signedAt - now > CLOCK_SKEW_SECONDS) {
    throw new ProofError('proof_not_yet_valid', 'the request is signed for a time to come', {
      facts: { valid_in_seconds: signedAt - now },
    })
  }
}

function takesEndpoint({ settings }: Trusted, { endpoint }: SignedRequest): boolean {
  return settings.regions.includes(endpoint.region) && endpoint.kinds.some((kind) => settings.endpoints.includes(kind))
}

/** The account that STS names selects the trusted issuer, which must then agree to all that was taken on another's word before. */
function chooseIssuer(request: SignedRequest, principal: Principal, candidates: readonly Trusted[]): Trusted {
  const { partition, accountId, kind } = principal
  const issuer = request.endpoint.partition
  if (partition !== issuer)
    throw new ProofError('claims_inconsistent', 'the principal is of another partition than its STS')
  const trusted = candidates.find(({ settings }) => settings.accounts.has(accountId))
  if (trusted === undefined) {
    throw new ProofError('issuer_not_trusted', 'no trusted issuer names this account', {
      facts: { account: accountId },
    })
  }
  const origin = { trustedIssuer: trusted.name, issuer }
  if (!trusted.settings.principals.includes(kind)) {
    const facts = { principal: kind }
    throw new ProofError('principal_not_accepted', 'the trusted issuer does not take principals of this kind', {
      facts,
      origin,
    })
  }
  if (!takesEndpoint(trusted, request)) throw endpointRefused(request).from(origin)
  if (request.audienceHeader !== GOOGLE_AUDIENCE_HEADER && !trusted.proofAudiences.includes(request.audience)) {
    throw new ProofError('audience_mismatch', 'the request was signed for another trusted issuer’s audience', {
      origin,
    })
  }
  return trusted
}

function endpointRefused({ endpoint }: SignedRequest): ProofError {
  return new ProofError('endpoint_not_accepted', 'the trusted issuer does not take requests for this STS host', {
    facts: { host: endpoint.host },
  })
}

function toVerified(request: SignedRequest, principal: Principal, trusted: Trusted): VerifiedProof {
  return {
    provider: 'aws',
    trustedIssuer: trusted.name,
    issuer: principal.partition,
    subject: principal.arn,
    instance: principal.kind === 'user' ? undefined : principal.sessionName,
    audience: request.audience,
    issuedAt: request.signedAt,
    expiresAt: request.signedAt + MAX_AGE_SECONDS,
    replay: { key: replayKeyOf(request), singleUse: true },
    // STS has just said so.
    live: true,
    attributes: attributesOfPrincipal(principal),
  }
}

/** What was signed, by whom and when: one key for however many spellings of the envelope. */
function replayKeyOf({ endpoint, accessKeyId, date, signature }: SignedRequest): string {
  return JSON.stringify(['aws', endpoint.partition, accessKeyId, date, signature])
}

function inspect(proof: string, partitions: Before['partitions'], ports: Before['ports']): InspectedProof {
  const nothing = { trustedIssuer: undefined, attributes: new Map<string, string>() }
  try {
    const request = readEnvelope(proof)
    const facts = { host: request.endpoint.host, shape: request.shape, signed_headers: request.signedHeaders.join(';') }
    // The target is not in the proof: Google's header is taken at its word here.
    const { trusted } = checkBeforeSts(request, { partitions, target: request.audience, ports })
    const [only, ...others] = trusted
    return { ...nothing, trustedIssuer: others.length === 0 ? only?.name : undefined, trouble: undefined, facts }
  } catch (error) {
    if (!(error instanceof ProofError)) throw error
    return { ...nothing, trouble: error, facts: error.facts }
  }
}
