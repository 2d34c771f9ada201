/** Signs a GetCallerIdentity request for the broker to send, with the AWS SDK's own signer and nothing but the closed set of headers. */

import { randomInt } from 'node:crypto'
import { ProofError } from '../contract/errors.ts'
import type { Proven } from '../contract/provider.ts'
import { readAmzDate } from './amz-date.ts'
import { bareCause } from './bare-cause.ts'
import { endpointsOf, PARTITIONS } from './endpoints.ts'
import { ACTION, AUDIENCE_HEADER, AWS4_REQUEST_TYPE, MAX_AGE_SECONDS } from './signed-request.ts'

type Library = typeof import('@aws-sdk/client-sts')

export interface Signing {
  readonly library: Library
  readonly sts: InstanceType<Library['STSClient']>
  /** Whom the request is for; signed with the rest. */
  readonly audience: string
  readonly signal: AbortSignal
}

/** A request between the SDK's signer and its transport. */
interface WireRequest {
  method: string
  hostname: string
  path: string
  query: object
  headers: Record<string, string>
  body: unknown
}

/**
 * Signs, and sends nothing. The envelope is what the broker's `envelope.ts` reads.
 *
 * Throws where the SDK finds neither credentials nor a region of which STS is known.
 */
export async function signCallerIdentity({ library, sts, audience, signal }: Signing): Promise<Proven> {
  const host = await chooseHost(sts)
  const command = new library.GetCallerIdentityCommand({})
  const signed: { request?: WireRequest } = {}
  const signClosedSet =
    <Args extends { readonly request: unknown }, Result>(next: (args: Args) => Promise<Result>) =>
    async (args: Args): Promise<Result> => {
      narrow(args.request as WireRequest, host, audience, nextVariant())
      return await next(args)
    }
  const keepInsteadOfSending =
    () =>
    async ({ request }: { readonly request: unknown }) => {
      signed.request = request as WireRequest
      return { response: {}, output: { $metadata: {} } }
    }
  const { middlewareStack } = command
  middlewareStack.addRelativeTo(signClosedSet, { name: 'closedSet', relation: 'before', toMiddleware: SIGNER })
  middlewareStack.addRelativeTo(keepInsteadOfSending, { name: 'keep', relation: 'after', toMiddleware: SIGNER })
  try {
    await sts.send(command, { abortSignal: signal })
  } catch (error) {
    const cause = bareCause(error)
    throw new ProofError('upstream_unreachable', `the AWS SDK did not sign: ${cause.name}: ${cause.message}`, { cause })
  }
  if (signed.request === undefined) throw new ProofError('upstream_malformed', 'the AWS SDK did not sign the request')
  return toProven(signed.request, host)
}

/** The SDK's own name of the middleware that signs. */
const SIGNER = 'httpSigningMiddleware'

/** Headers that may be signed or not, at the signer's choice: the broker builds each of them again. */
const OPTIONAL_HEADERS: readonly (readonly [string, string])[] = [
  ['accept', 'application/json'],
  ['content-length', String(ACTION.length)],
  ['content-type', 'application/x-www-form-urlencoded; charset=utf-8'],
]

let variant = randomInt(2 ** OPTIONAL_HEADERS.length)

/**
 * Chooses which of the optional headers are signed. Two requests of one second by one session would otherwise be the same one, and
 * the second be taken for a replay: so there are eight in a second, and two processes seldom make the same.
 */
function nextVariant(): readonly (readonly [string, string])[] {
  variant = (variant + 1) % 2 ** OPTIONAL_HEADERS.length
  return OPTIONAL_HEADERS.filter((_, index) => (variant >> index) % 2 === 1)
}

/** Leaves of a request only what the broker builds again: what the SDK would sign beside that, such as its invocation id, it could not know. */
function narrow(request: WireRequest, host: string, audience: string, more: ReturnType<typeof nextVariant>): void {
  request.hostname = host
  request.path = '/'
  request.query = {}
  request.body = ACTION
  request.headers = { host, [AUDIENCE_HEADER]: audience, ...Object.fromEntries(more) }
}

/** The host that the SDK would ask, if STS is known to answer there; with an endpoint of somebody's own, the regional one. */
async function chooseHost(sts: Signing['sts']): Promise<string> {
  const region = await sts.config.region().catch((error: unknown) => {
    const message = 'no region is configured: set AWS_REGION, or the prover’s own setting'
    throw new ProofError('endpoint_not_accepted', message, { cause: bareCause(error) })
  })
  const kind = (await sts.config.useFipsEndpoint())
    ? (await sts.config.useDualstackEndpoint())
      ? 'fips_dualstack'
      : 'fips'
    : (await sts.config.useDualstackEndpoint())
      ? 'dualstack'
      : 'regional'
  const endpoint = PARTITIONS.flatMap(endpointsOf).find(
    (known) => known.region === region && known.kinds.includes(kind),
  )
  if (endpoint !== undefined) return endpoint.host
  throw new ProofError('endpoint_not_accepted', `no ${kind} host of STS is known for the region ${region}`)
}

function toProven(request: WireRequest, host: string): Proven {
  const headers = Object.entries(request.headers).map(([key, value]) => ({ key: key.toLowerCase(), value }))
  const envelope = { url: `https://${host}/`, method: 'POST', headers, body: ACTION }
  return {
    subjectToken: encodeURIComponent(JSON.stringify(envelope)),
    subjectTokenType: AWS4_REQUEST_TYPE,
    expiresAt: readAmzDate(request.headers['x-amz-date'] ?? '') + MAX_AGE_SECONDS,
  }
}
