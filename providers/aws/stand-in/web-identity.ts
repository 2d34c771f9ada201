/** The JWTs that AWS gives for other people's audiences, and the metadata and keys of each account's issuer. */

import { randomUUID } from 'node:crypto'
import { type Claims, signClaims } from '../../kit/stand-in-keys.ts'
import type { StandInAnswer, StandInRequest } from '../../kit/stand-in-server.ts'
import type { TokenAlgorithm } from './account-keys.ts'
import type { Account, Tags } from './aws-state.ts'
import type { Session } from './sessions.ts'
import { formatTime } from './sts-protocol.ts'

/** What a web identity token is asked for. */
export interface WebIdentityWish {
  readonly audiences: readonly string[]
  readonly algorithm?: TokenAlgorithm
  readonly durationSeconds?: number
  /** Chosen by the caller, and marked as such: they become `request_tags`. */
  readonly tags?: Tags
  /** Of the endpoint that was asked. */
  readonly region?: string
}

export const DEFAULT_TOKEN_SECONDS = 300

/** The claim that holds all that no standard names, with its last slash. */
export const AWS_CLAIM = 'https://sts.amazonaws.com/'

/**
 * Gives the claims of a web identity token. Throws for a root and for federated users, who get none.
 *
 * `ou_path` is a list, as in tokens that were seen; AWS's documentation shows a text.
 *
 * @see {@link https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound_token_claims.html Token claims}
 */
export function claimsFor(session: Session, wish: WebIdentityWish, now: number): Claims {
  const { account, subject, expiresAt, principalTags, sourceClaims } = session
  if (subject === undefined) throw new Error(`${session.caller.arn} gets no web identity token`)
  const { audiences, durationSeconds = DEFAULT_TOKEN_SECONDS, tags = {}, region = 'us-east-1' } = wish
  const { organisation } = account
  return {
    aud: audiences.length === 1 ? audiences[0] : audiences,
    sub: subject,
    [AWS_CLAIM]: {
      aws_account: account.id,
      ...(organisation === undefined ? {} : { org_id: organisation.id, ou_path: [organisation.path] }),
      ...(expiresAt === undefined ? {} : { original_session_exp: formatTime(new Date(expiresAt * 1_000)) }),
      ...(Object.keys(principalTags).length === 0 ? {} : { principal_tags: principalTags }),
      principal_id: subject,
      ...(Object.keys(tags).length === 0 ? {} : { request_tags: tags }),
      source_region: region,
      ...sourceClaims,
    },
    iss: account.issuer,
    exp: now + durationSeconds,
    iat: now,
    jti: randomUUID(),
  }
}

/** Signs any claims with an account's key: what STS does in the end, and how tests forge what it never would. */
export async function signAs(
  account: Account,
  claims: Claims,
  algorithm: TokenAlgorithm = 'ES384',
  header: Claims = {},
): Promise<string> {
  return await signClaims(claims, await account.keys.current(algorithm), { typ: 'JWT', ...header })
}

/** Answers for the metadata and the keys of every account's issuer. Undefined for any other path. */
export async function answerDiscovery(
  { method, path }: StandInRequest,
  accounts: readonly Account[],
  origin: string,
): Promise<StandInAnswer | undefined> {
  if (method !== 'GET') return undefined
  for (const { issuer, issuerPath, keys } of accounts) {
    if (path === `${issuerPath}/.well-known/openid-configuration`) {
      return published(metadataOf(issuer, `${origin}${issuerPath}/.well-known/jwks.json`))
    }
    if (path === `${issuerPath}/.well-known/jwks.json`) return published(await keys.jwks())
  }
  return undefined
}

function metadataOf(issuer: string, jwksUri: string): object {
  return {
    claims_supported: ['sub', 'iss', 'aud', 'exp', 'iat', 'jti', AWS_CLAIM],
    id_token_signing_alg_values_supported: ['RS256', 'ES384'],
    issuer,
    jwks_uri: jwksUri,
    subject_types_supported: ['public'],
  }
}

function published(body: object): StandInAnswer {
  return { status: 200, headers: { 'content-type': 'application/json', 'cache-control': 'max-age=3600' }, body }
}
