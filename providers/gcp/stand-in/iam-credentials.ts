/** The part of the IAM Service Account Credentials API that gives identity tokens of another account. */

import type { Claims } from '../../kit/stand-in-keys.ts'
import type { StandInAnswer, StandInRequest } from '../../kit/stand-in-server.ts'
import type { CloudState } from './cloud-state.ts'
import type { TokenWish } from './tokens.ts'

export interface IamPorts {
  readonly state: CloudState
  /** Gives the claims of an account that is nowhere in particular. */
  readonly claimsOf: (email: string, wish: TokenWish) => Claims
  readonly sign: (claims: Claims) => Promise<string>
}

const GENERATE_PATH = /^\/v1\/projects\/-\/serviceAccounts\/([^/:]+):generateIdToken$/

/** Gives the account whose token a request asks for; undefined where it asks for something else. */
export function readTargetAccount({ method, path }: StandInRequest): string | undefined {
  return method === 'POST' ? GENERATE_PATH.exec(path)?.[1] : undefined
}

interface GenerateBody {
  readonly audience?: unknown
  readonly includeEmail?: unknown
  readonly useEmailAzp?: unknown
}

/**
 * Answers generateIdToken. Refuses an access token that nobody handed out, and an account that its holder may not impersonate or
 * that does not exist: these two look the same from outside.
 *
 * @see {@link https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateIdToken IAM Credentials API: generateIdToken}
 */
export async function generateIdToken(
  target: string,
  request: StandInRequest,
  { state, claimsOf, sign }: IamPorts,
): Promise<StandInAnswer> {
  const holder = state.holderOf(/^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '')
  if (holder === undefined) return failure(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.')
  if (!state.mayImpersonate(holder, target)) {
    const message = "Permission 'iam.serviceAccounts.getOpenIdToken' denied on resource (or it may not exist)."
    return failure(403, 'PERMISSION_DENIED', message)
  }
  const { audience, includeEmail, useEmailAzp } = JSON.parse(request.body) as GenerateBody
  if (typeof audience !== 'string' || audience === '') {
    return failure(400, 'INVALID_ARGUMENT', 'Request contains an invalid argument.')
  }
  const wish = { audience, includeEmail: includeEmail === true, useEmailAzp: useEmailAzp === true }
  return { status: 200, body: { token: await sign(claimsOf(target, wish)) } }
}

function failure(code: number, status: string, message: string): StandInAnswer {
  return { status: code, body: { error: { code, message, status } } }
}
