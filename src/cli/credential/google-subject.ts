/** The executable that Google's auth libraries start for an `external_account` file. */

import type { Environment } from '../../client/environment.ts'
import { PRIVATE_MODE, writeAtomically } from '../delivery/atomic-file.ts'
import { type Failure, type HelperAnswer, type Outcome, wrongly } from './answer.ts'
import { readUnverifiedJwt } from './unverified-jwt.ts'

export interface GoogleHelper {
  /** What the file may name as its audience. */
  readonly audiences: readonly string[]
  /** Gets the JWT: our token for Google, or this workload's proof for the broker. */
  readonly obtain: () => Promise<Outcome<string>>
  /** Whether the JWT may be kept in the file that the library names. A proof may be good for one exchange only. */
  readonly mayKeep: boolean
}

const JWT_TYPES: readonly string[] = [
  'urn:ietf:params:oauth:token-type:jwt',
  'urn:ietf:params:oauth:token-type:id_token',
]

/**
 * Answers a library, only for an audience that was allowed: whoever can write an `external_account` file shall not get another's
 * token by it. What goes wrong is told on standard output with exit code 0: of a process that fails, most libraries repeat no reason.
 *
 * @see {@link https://google.aip.dev/auth/4117 AIP-4117}
 */
export async function answerGoogle(environment: Environment, helper: GoogleHelper): Promise<HelperAnswer> {
  const { GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE: audience, GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE: outputFile } = environment
  if (!audience) {
    throw wrongly(
      'gcp',
      'GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE is not set: Google’s libraries set it, see chancery google-config',
    )
  }
  const outcome = await obtainSubject(audience, environment, helper)
  if ('failure' in outcome) return print({ version: 1, success: false, ...toError(outcome.failure) })
  const answer = print({ version: 1, success: true, ...outcome.got })
  if (outputFile && helper.mayKeep) await keep(outputFile, answer.out)
  return answer
}

interface GoogleSubject {
  readonly token_type: string
  readonly id_token: string
  readonly expiration_time: number
}

async function obtainSubject(
  audience: string,
  { GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES, GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE }: Environment,
  { audiences, obtain }: GoogleHelper,
): Promise<Outcome<GoogleSubject>> {
  const tokenType = GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE ?? ''
  if (GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES !== '1') {
    return refuse('executables_not_allowed', 'GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES is not 1')
  }
  if (!JWT_TYPES.includes(tokenType)) {
    return refuse('token_type_unknown', `the file’s subject_token_type must be one of ${JWT_TYPES.join(', ')}`)
  }
  if (!audiences.includes(audience)) {
    return refuse(
      'audience_mismatch',
      `the file’s audience is not ${audiences.join(' or ')}, which this command allows`,
    )
  }
  const outcome = await obtain()
  if ('failure' in outcome) return outcome
  const expiresAt = readUnverifiedJwt(outcome.got)?.claims.exp
  if (typeof expiresAt !== 'number') {
    return refuse(
      'proof_not_a_jwt',
      'this workload’s proof is not a JWT, and Google’s libraries take no other from a command',
    )
  }
  return { got: { token_type: tokenType, id_token: outcome.got, expiration_time: expiresAt } }
}

function refuse(code: string, message: string): { readonly failure: Failure } {
  return { failure: { code, message, ending: 'wrong' } }
}

function toError({ code, message }: Failure) {
  return { code, message: `chancery: ${message}` }
}

function print(answer: object): HelperAnswer & { readonly out: string } {
  return { ending: 'done', out: `${JSON.stringify(answer)}\n` }
}

/** A file that cannot be written costs the library its cache, and nothing else. */
async function keep(path: string, text: string): Promise<void> {
  await writeAtomically(path, text, PRIVATE_MODE).catch(() => undefined)
}
