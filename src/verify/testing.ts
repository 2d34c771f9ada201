/**
 * Principals and tokens for a service's own tests.
 *
 * Nothing here can pass for production: every test issuer has a new key that never leaves it, and a name below `.invalid`, where
 * no broker can be.
 */

import { randomUUID } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import type { NumericDate } from '../../providers/contract/proof.ts'
import type { JsonObject } from '../../providers/contract/strict-json.ts'
import { principalFrom } from './principal.ts'
import type { VerifierSettings } from './settings.ts'
import { createVerifier, type Principal, type TokenClaims, type Verifier } from './verifier.ts'

/** The issuer of every test token. @see {@link https://www.rfc-editor.org/rfc/rfc2606.html#section-2 RFC 2606 section 2} */
export const TEST_ISSUER = 'https://test-issuer.chancery.invalid'

const LIFETIME_SECONDS = 300

/** Who is to call, and with what. */
export interface TestWish {
  /** As the federation document would name it: `payments/api`. */
  readonly identity: string
  readonly scopes?: readonly string[]
  /** `corp.test` by default. */
  readonly trustDomain?: string
  /** Claims beside those that every token has. They cannot replace any of those but `proof`. */
  readonly claims?: JsonObject
  /** Members of the `proof` claim, over those of a made-up pod. */
  readonly proof?: JsonObject
}

export interface TestTokenWish extends TestWish {
  /** For another audience, a token that the service must refuse. */
  readonly audience?: string
  /** For a token that expired before any clock could be in doubt. */
  readonly isExpired?: boolean
}

export interface TestIssuer {
  /** Takes the tokens of this issuer, and no others. Goes where the service has its own verifier. */
  readonly verifier: Verifier
  /** For a service that creates its verifier itself. */
  readonly settings: VerifierSettings
  token(wish: TestTokenWish): Promise<string>
}

/**
 * Creates an issuer for one service's tests, who is the only one that can sign for its verifier.
 *
 * @example
 * const issuer = await createTestIssuer({ audience: 'ledger' })
 * const app = createApp(issuer.verifier)
 * const authorization = `Bearer ${await issuer.token({ identity: 'payments/api', scopes: ['entries:read'] })}`
 */
export async function createTestIssuer(
  service: Omit<VerifierSettings, 'issuer' | 'jwks' | 'fetch' | 'algorithms'>,
): Promise<TestIssuer> {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const keyId = randomUUID()
  const key = { ...(await exportJWK(publicKey)), kid: keyId, alg: 'ES256', use: 'sig' }
  const settings = { ...service, issuer: TEST_ISSUER, jwks: { keys: [key] } }
  const { now = () => Math.floor(Date.now() / 1_000), tokenType = 'at+jwt' } = service
  return {
    verifier: createVerifier(settings),
    settings,
    async token({ audience = service.audience, isExpired = false, ...wish }) {
      const claims = claimsFor(wish, audience, isExpired ? now() - 2 * LIFETIME_SECONDS : now())
      return await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: keyId, typ: tokenType }).sign(privateKey)
    },
  }
}

/** Gives a principal without any token, for tests of what comes after verification. Throws what a verifier would for such claims. */
export function testPrincipal(wish: TestWish): Principal {
  return principalFrom(claimsFor(wish, 'test', Math.floor(Date.now() / 1_000)), undefined)
}

function claimsFor(wish: TestWish, audience: string, issuedAt: NumericDate): TokenClaims {
  const { identity, scopes = [], trustDomain = 'corp.test', claims = {}, proof = {} } = wish
  return {
    ...claims,
    iss: TEST_ISSUER,
    sub: `spiffe://${trustDomain}/${identity}`,
    aud: audience,
    client_id: identity,
    iat: issuedAt,
    exp: issuedAt + LIFETIME_SECONDS,
    jti: randomUUID(),
    ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
    proof: { ...MADE_UP, ...proof },
  }
}

const MADE_UP = {
  provider: 'test',
  trusted_issuer: 'test',
  subject: 'test',
  binding: 'test',
  document: `sha256:${'0'.repeat(64)}`,
  single_use: false,
  live: false,
} as const
