/** Asks STS who signed a request: once, at a host of the table, in turn, and not again where the answer was no. */

import { createHash } from 'node:crypto'
import { PROOF_REFUSALS, ProofError } from '../contract/errors.ts'
import type { NumericDate } from '../contract/proof.ts'
import type { Ports } from '../contract/provider.ts'
import { type CircuitBreaker, createCircuitBreaker } from '../kit/circuit-breaker.ts'
import { createFairQueue } from '../kit/fair-queue.ts'
import type { HttpClient } from '../kit/http.ts'
import { createIssuerHttp } from '../kit/issuer-http.ts'
import { endpointsOf, type Partition } from './endpoints.ts'
import { rebuild, type SignedRequest } from './signed-request.ts'
import { type CallerIdentity, MAX_ANSWER_BYTES, readCallerIdentity } from './sts-answer.ts'

/** Calls to a partition's STS under way at a time, and how many may wait, in all and of one source address. */
const QUEUE = { concurrency: 64, maxWaiting: 1_024, maxWaitingOfOne: 256, maxWaitMs: 5_000 } as const

/** How long a refusal is remembered, in seconds, and how many are: STS itself would refuse the same for as long. */
const REFUSAL_REMEMBERED_SECONDS = 900
const MAX_REMEMBERED = 10_000

export interface StsClientSettings {
  readonly partition: Partition
  /** Whose name the calls are counted under. */
  readonly trustedIssuer: string
  /** Asked instead of the real host, whose name it is asked by: development and tests. */
  readonly stsEndpoint: string | undefined
  readonly privateHosts: readonly string[]
  readonly caFile: string | undefined
}

export interface StsClient {
  /** Gives the identity that STS sees behind a signature. Throws a refusal where STS refuses it, an outage where it cannot say. */
  whoSigned(request: SignedRequest, source: string, signal: AbortSignal): Promise<CallerIdentity>
}

/** Creates the client of one partition. */
export function createStsClient(settings: StsClientSettings, ports: Ports): StsClient {
  const hosts = endpointsOf(settings.partition).map(({ host }) => host)
  const http = createIssuerHttp(
    {
      trustedIssuer: settings.trustedIssuer,
      // Interface endpoints give STS's own names private addresses. The certificate still has to be STS's.
      privateHosts: [...hosts, ...settings.privateHosts],
      caFile: settings.caFile,
      maxConnections: QUEUE.concurrency,
    },
    ports,
  )
  const queue = createFairQueue(QUEUE)
  const refusals = createRefusalMemory(ports.now)
  const breakers = new Map(hosts.map((host) => [host, createCircuitBreaker(ports.now)]))
  return {
    async whoSigned(request, source, signal) {
      const id = digestOf(request)
      refusals.check(id)
      const breaker = breakers.get(request.endpoint.host) ?? createCircuitBreaker(ports.now)
      return await queue.run(source, () => ask(request, { id, refusals, breaker, http, settings }), signal)
    },
  }
}

interface Asking {
  readonly id: string
  readonly refusals: RefusalMemory
  readonly breaker: CircuitBreaker
  readonly http: () => Promise<HttpClient>
  readonly settings: StsClientSettings
}

async function ask(request: SignedRequest, asking: Asking): Promise<CallerIdentity> {
  const { id, refusals, breaker, http, settings } = asking
  // Others with the same request may have waited in the same queue.
  refusals.check(id)
  try {
    return await breaker.guard(async () => readCallerIdentity(await send(await http(), request, settings)))
  } catch (error) {
    if (error instanceof ProofError) refusals.remember(id, error)
    throw error
  }
}

/** A caller that hangs up does not end the call: it would count as a failure of STS, and five callers could stop everybody's. */
function send(http: HttpClient, request: SignedRequest, { stsEndpoint }: StsClientSettings) {
  const { path, headers, body } = rebuild(request)
  const origin = stsEndpoint?.replace(/\/$/, '') ?? `https://${request.endpoint.host}`
  return http.send({
    purpose: `sts ${request.endpoint.host}`,
    method: 'POST',
    url: `${origin}${path}`,
    headers,
    body,
    maxBytes: MAX_ANSWER_BYTES,
  })
}

/** All that was taken of a request, so that a spoiled copy of a good one can never stand for it. */
function digestOf(request: SignedRequest): string {
  const { path, headers } = rebuild(request)
  return createHash('sha256')
    .update(JSON.stringify([path, headers]))
    .digest('base64url')
}

interface RefusalMemory {
  /** Throws the refusal that is remembered for this request. */
  check(id: string): void
  remember(id: string, error: ProofError): void
}

function createRefusalMemory(now: () => NumericDate): RefusalMemory {
  const refusals = new Map<string, { readonly refusal: ProofError; readonly until: NumericDate }>()
  return {
    check(id) {
      const known = refusals.get(id)
      if (known !== undefined && now() < known.until) throw known.refusal
    },
    remember(id, error) {
      if (!PROOF_REFUSALS.some((code) => code === error.code)) return
      for (const [oldest, { until }] of refusals) {
        if (refusals.size < MAX_REMEMBERED && now() < until) break
        refusals.delete(oldest)
      }
      refusals.set(id, { refusal: error, until: now() + REFUSAL_REMEMBERED_SECONDS })
    },
  }
}
