/** A proof that something else keeps in a file: a projected token, a side-car, a sign-in that was done before. */

import { JWT_TYPE } from '../oauth/vocabulary.ts'
import type { ClientPorts } from './settings.ts'
import { TokenSourceError } from './token-source-error.ts'

/** Where the examples project a token of Kubernetes to. */
export const PROJECTED_TOKEN_PATH = '/var/run/secrets/chancery/token'

/** A signed GetCallerIdentity request. */
export const AWS4_REQUEST_TYPE = 'urn:ietf:params:aws:token-type:aws4_request'

/** A proof that is about to be exchanged. */
export interface WorkloadProof {
  readonly subjectToken: string
  readonly subjectTokenType: string
}

/**
 * Reads the proof in a file, as it is now. White space around it is left out. Its type is seen from the content, unless the
 * settings name one: three base64url parts are a JWT, JSON in either spelling is a signed AWS request.
 *
 * Refuses an empty file and one that is neither.
 */
export async function readProofFile(
  path: string,
  subjectTokenType: string | undefined,
  { readFile }: Pick<ClientPorts, 'readFile'>,
): Promise<WorkloadProof> {
  const subjectToken = (await readText(path, readFile)).trim()
  if (subjectToken === '') throw unusable(`the proof file ${path} is empty`)
  const type = subjectTokenType ?? typeOf(subjectToken)
  if (type === undefined) throw unusable(`the proof file ${path} holds neither a JWT nor a signed AWS request`)
  return { subjectToken, subjectTokenType: type }
}

async function readText(path: string, readFile: ClientPorts['readFile']): Promise<string> {
  try {
    return await readFile(path)
  } catch (error) {
    throw unusable(`the proof file ${path} cannot be read (${codeOf(error)})`)
  }
}

const JWT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/

function typeOf(proof: string): string | undefined {
  if (JWT.test(proof)) return JWT_TYPE
  return /^(\{|%7b)/i.test(proof) ? AWS4_REQUEST_TYPE : undefined
}

function unusable(what: string): TokenSourceError {
  return new TokenSourceError('proof_unavailable', what, {
    advice: 'see that whatever keeps this file fresh runs, and that this process may read the file',
  })
}

/** Gives an error's code, such as ENOENT: of everything in it the one part that is never somebody's text. */
export function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
  return /^[A-Za-z][A-Za-z_]{1,60}$/.test(code) ? code : 'no code'
}
