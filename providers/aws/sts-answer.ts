/** Reads what STS answers to GetCallerIdentity: an identity in exactly one shape, a refusal, or trouble. */

import { ProofError, type ProofRefusalCode } from '../contract/errors.ts'
import { isJsonObject, type JsonObject, memberOf } from '../contract/strict-json.ts'
import type { UpstreamResponse } from '../kit/http.ts'
import { parseObject } from '../kit/key-source.ts'

/** Whose signature it was, in STS's words. Nothing of it is compared yet. */
export interface CallerIdentity {
  readonly account: string
  readonly arn: string
  readonly userId: string
}

/** Largest answer, in bytes. Real ones stay below 1 KiB. */
export const MAX_ANSWER_BYTES = 16_384

/**
 * Gives the caller identity of an answer.
 *
 * Throws a refusal where STS says that the signature, its key or its session does not hold, and an outage for whatever is
 * neither: an answer that cannot be read is never an identity, and no proof of anything against the caller.
 *
 * @see {@link https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html AWS STS, GetCallerIdentity}
 */
export function readCallerIdentity({ status, headers, body }: UpstreamResponse): CallerIdentity {
  if (status !== 200) throw readFailure(status, body)
  if (!/^application\/json(; ?charset=utf-8)?$/i.test(headers['content-type'] ?? '')) {
    throw malformed('the answer is not declared as JSON')
  }
  const response = only(parseObject(body), 'GetCallerIdentityResponse')
  const { GetCallerIdentityResult: result } = exactly(response, ['GetCallerIdentityResult', 'ResponseMetadata'])
  const { Account: account, Arn: arn, UserId: userId } = exactly(result, ['Account', 'Arn', 'UserId'])
  if (typeof account !== 'string' || typeof arn !== 'string' || typeof userId !== 'string') {
    throw malformed('a member of the identity is not a string')
  }
  if (!/^\d{12}$/.test(account)) throw malformed('the account is not twelve digits')
  return { account, arn, userId }
}

/** What STS says of a request that is the caller's own fault, whatever it was signed with. */
const REFUSALS: ReadonlyMap<string, ProofRefusalCode> = new Map([
  // Also for a signature that is too old: STS has no other code for it.
  ['SignatureDoesNotMatch', 'signature_invalid'],
  ['InvalidClientTokenId', 'key_unknown'],
  ['UnrecognizedClientException', 'key_unknown'],
  ['InvalidAccessKeyId', 'key_unknown'],
  ['ExpiredToken', 'proof_expired'],
  ['ExpiredTokenException', 'proof_expired'],
  ['RequestExpired', 'proof_expired'],
  ['IncompleteSignature', 'proof_malformed'],
  ['MissingAuthenticationToken', 'proof_malformed'],
  // STS is switched off there for the account: the workload has to ask another region's.
  ['RegionDisabledException', 'endpoint_not_accepted'],
  ['AccessDenied', 'signature_invalid'],
  ['AccessDeniedException', 'signature_invalid'],
])

const THROTTLED =
  /^(Throttling|Throttled|RequestThrottled|RequestLimitExceeded|TooManyRequests|BandwidthLimitExceeded|SlowDown)(Exception)?$/

const REFUSAL_STATUSES: ReadonlySet<number> = new Set([400, 401, 403])

function readFailure(status: number, body: Uint8Array): ProofError {
  const code = readErrorCode(body)
  const refusal = REFUSAL_STATUSES.has(status) ? REFUSALS.get(code ?? '') : undefined
  if (refusal !== undefined)
    return new ProofError(refusal, 'STS says that the signature does not hold', { facts: { sts: code ?? '' } })
  const facts = {
    status,
    ...(code === undefined ? {} : { sts: code }),
    ...(status === 429 || THROTTLED.test(code ?? '') ? { throttled: true } : {}),
  }
  return new ProofError('upstream_status', `STS answers ${status}`, { facts })
}

/** XML is read for its code alone, and only in the shape that STS writes: nothing in it can become more than a refusal. */
const XML_CODE =
  /^(?:<\?xml [^<>]{0,64}\?>\s*)?<ErrorResponse xmlns="https:\/\/sts\.amazonaws\.com\/doc\/2011-06-15\/">\s*<Error>\s*<Type>(?:Sender|Receiver)<\/Type>\s*<Code>([A-Za-z.]{1,64})<\/Code>/

function readErrorCode(body: Uint8Array): string | undefined {
  const text = Buffer.from(body).toString('latin1')
  const [, code] = XML_CODE.exec(text) ?? []
  return code ?? readJsonCode(body)
}

function readJsonCode(body: Uint8Array): string | undefined {
  try {
    const error = memberOf(parseObject(body), 'Error')
    const code = isJsonObject(error) ? memberOf(error, 'Code') : undefined
    return typeof code === 'string' && /^[A-Za-z.]{1,64}$/.test(code) ? code : undefined
  } catch {
    return undefined
  }
}

/** Gives the one member of an object that has no other. */
function only(object: JsonObject, name: string): unknown {
  return exactly(object, [name])[name]
}

/** Gives an object that has these members and no others: an answer to another action, or one beside an error, is none. */
function exactly(value: unknown, names: readonly string[]): JsonObject {
  if (
    !isJsonObject(value) ||
    Object.keys(value).length !== names.length ||
    !names.every((name) => Object.hasOwn(value, name))
  ) {
    throw malformed('the answer is not that of GetCallerIdentity')
  }
  return value
}

function malformed(message: string): ProofError {
  return new ProofError('upstream_malformed', message)
}
