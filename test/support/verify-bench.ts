/** A service that verifies, and an issuer of tokens on a real socket that does, and answers, whatever a test wants. */

import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { generateStandInKey, type StandInKey } from '../../providers/kit/stand-in-keys.ts'
import {
  createVerifier,
  KeysUnavailable,
  TokenRefused,
  type Verifier,
  type VerifierSettings,
} from '../../src/verify/verifier.ts'
import { createTestClock, type TestClock } from './clock.ts'
import { type Part, rawJws, type Signer, signerOf } from './raw-jws.ts'

export const AUDIENCE = 'ledger'

export type Members = Readonly<Record<string, unknown>>

export interface VerifyBench {
  readonly issuer: string
  readonly clock: TestClock
  /** The keys that it signs with and publishes. */
  readonly es256: StandInKey
  readonly rs256: StandInKey
  /** Requests for keys so far. */
  fetches(): number
  publish(members: readonly unknown[]): void
  /** Answers requests for keys in another way. */
  answer(listener: RequestListener): void
  /** Claims as our broker writes them, over which others are laid. Undefined removes one. */
  claims(changes?: Members): Members
  /** A token of these claims. */
  token(changes?: Members, header?: Members): string
  /** A token of any header and payload under any signature. */
  forge(header: Part, payload: Part, signer?: Signer): string
  verifier(settings?: Partial<VerifierSettings>): Verifier
  /** What becomes of a token: `accepted`, or the code. Fails where the token can be found in what was thrown. */
  outcome(token: string, verifier?: Verifier): Promise<string>
  close(): Promise<void>
}

/** Made once: no test changes them. */
const KEYS = Promise.all([generateStandInKey('ES256', 'es'), generateStandInKey('RS256', 'rs')])

/** Opens a bench whose issuer publishes one key of each algorithm. */
export async function openVerifyBench(): Promise<VerifyBench> {
  const clock = createTestClock()
  const [es256, rs256] = await KEYS
  let fetches = 0
  let listener = answerWith({ keys: [es256.jwk, rs256.jwk] })
  const server = createServer((request, response) => {
    fetches++
    listener(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const claims = (changes: Members = {}): Members => withoutUndefined({ ...claimsOf(issuer, clock.now()), ...changes })
  const verifier = (settings: Partial<VerifierSettings> = {}): Verifier =>
    createVerifier({ issuer, audience: AUDIENCE, now: clock.now, ...settings })
  const usual = verifier()
  const forge = (header: Part, payload: Part, signer = signerOf(es256)): string => rawJws(header, payload, signer)
  return {
    ...{ issuer, clock, es256, rs256, claims, verifier, forge },
    fetches: () => fetches,
    publish: (members) => {
      listener = answerWith({ keys: members })
    },
    answer: (other) => {
      listener = other
    },
    token: (changes = {}, header = {}) =>
      forge(withoutUndefined({ alg: 'ES256', kid: 'es', typ: 'at+jwt', ...header }), claims(changes)),
    outcome: (token, by = usual) => outcomeOf(token, by),
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Answers with JSON, as a broker answers with its keys. */
export function answerWith(body: unknown, headers: Readonly<Record<string, string>> = {}): RequestListener {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return (_, response) => void response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(text)
}

async function outcomeOf(token: string, verifier: Verifier): Promise<string> {
  const error = await verifier.verify(token).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error === undefined) return 'accepted'
  if (!(error instanceof TokenRefused) && !(error instanceof KeysUnavailable)) throw error
  const [, payload = ''] = String(token).split('.')
  const shown = inspect(error, { depth: null, showHidden: true })
  // A few letters may well be a word of ours.
  if (payload.length > 8 && (shown.includes(token) || shown.includes(payload))) throw new Error('the token was shown')
  return error.code
}

function claimsOf(issuer: string, now: number): Members {
  return {
    iss: issuer,
    sub: 'spiffe://corp.example/payments/api',
    aud: AUDIENCE,
    client_id: 'payments/api',
    iat: now,
    exp: now + 600,
    jti: 'a0b1',
    scope: 'entries:read entries:write',
    proof: {
      provider: 'kubernetes',
      trusted_issuer: 'cluster',
      subject: 'system:serviceaccount:payments:api',
      instance: 'api-1',
      binding: 'payments-api',
      document: `sha256:${'0'.repeat(64)}`,
      single_use: false,
      live: false,
    },
  }
}

function withoutUndefined(members: Members): Members {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}
