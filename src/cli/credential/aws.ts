/** `credential_process` of the AWS SDKs and CLI. */

import type { NumericDate } from '../../../providers/contract/proof.ts'
import { type Failure, failed, type HelperAnswer, type ObtainToken, type Outcome } from './answer.ts'
import { assumeRole, type RoleWish } from './aws-assume-role.ts'
import { type AwsCredentials, isAlive, isFresh, parseAwsCredentials, writeAwsCredentials } from './aws-credentials.ts'
import type { PrivateCache } from './private-cache.ts'

/** The audience that AWS itself proposes for an OIDC provider's tokens. */
export const AWS_AUDIENCE = 'sts.amazonaws.com'

export interface AwsHelper {
  readonly role: RoleWish
  readonly audience: string
  readonly obtain: ObtainToken
  /** Undefined where nothing is to be kept. */
  readonly cache: PrivateCache | undefined
  readonly now: () => NumericDate
}

const NOT_KEPT =
  'chancery: the session cannot be kept, and is asked for each time: see that the cache directory can be written to\n'

/**
 * Gives a session of a role. No SDK keeps what a process gives it beyond its own life, so the session is kept here, for this user
 * alone, until five minutes before its end; where no new one can be had, until half a minute before.
 */
export async function answerAws(helper: AwsHelper): Promise<HelperAnswer> {
  const { cache, now } = helper
  const kept = parseAwsCredentials((await cache?.read()) ?? '')
  if (kept !== undefined && isFresh(kept, now())) return { ending: 'done', out: writeAwsCredentials(kept) }
  const outcome = await obtainSession(helper)
  if ('failure' in outcome) return outlive(outcome.failure, kept, now())
  const out = writeAwsCredentials(outcome.got)
  const isKept = cache === undefined || (await cache.write(out))
  return { ending: 'done', out, ...(isKept ? {} : { err: NOT_KEPT }) }
}

async function obtainSession({ obtain, audience, role }: AwsHelper): Promise<Outcome<AwsCredentials>> {
  const outcome = await obtain(audience)
  return 'failure' in outcome ? outcome : await assumeRole(outcome.got.accessToken, role)
}

/** An outage is outlived; a refusal counts at once. */
function outlive(failure: Failure, kept: AwsCredentials | undefined, now: NumericDate): HelperAnswer {
  const answer = failed(failure)
  if (failure.ending !== 'later' || kept === undefined || !isAlive(kept, now)) return answer
  return { ...answer, ending: 'done', out: writeAwsCredentials(kept) }
}
