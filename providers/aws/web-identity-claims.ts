/** What a token of GetWebIdentityToken says of a role and of its session. */

import { ProofError } from '../contract/errors.ts'
import { isJsonObject } from '../contract/strict-json.ts'
import type { ClaimsLedger } from '../kit/claims.ts'
import { type Role, readRole } from './arn.ts'

/** The claims under AWS's own name. All but the region are there only where they apply. */
export interface SessionClaims {
  readonly sourceRegion: string | undefined
  readonly orgId: string | undefined
  readonly ouPath: string | undefined
  readonly instanceId: string | undefined
  readonly functionArn: string | undefined
  readonly principalTags: ReadonlyMap<string, string>
}

export interface WebIdentityClaims {
  readonly subject: string
  readonly tokenId: string
  readonly role: Role
  readonly session: SessionClaims
}

/** The member that AWS's claims stand in, with its final slash. */
const NAMESPACE = 'https://sts.amazonaws.com/'

/** Said by the caller itself, of other systems, or of networks: nothing that a binding may rely on. */
const IGNORED_CLAIMS = [
  ...['request_tags', 'original_session_exp', 'source_identity', 'federated_provider', 'ec2_instance_source_vpc'],
  ...['ec2_instance_source_private_ipv4', 'ec2_role_delivery', 'identity_store_user_id', 'identity_store_arn'],
  ...['glue_credential_issuing_service', 'principal_id'],
] as const

/**
 * Reads the claims of one account's token.
 *
 * Refuses a token without `jti`, as it could not be spent; a subject that is no role; and an account other than the one whose
 * issuer signed it.
 *
 * @see {@link https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound_token_claims.html AWS IAM, claims of outbound tokens}
 */
export function readWebIdentityClaims(claims: ClaimsLedger, accountId: string): WebIdentityClaims {
  const subject = claims.requireString('sub')
  const tokenId = claims.requireString('jti')
  const role = readRole(subject)
  const aws = claims.requireObject(NAMESPACE)
  for (const ledger of [claims, aws]) checkSubjectMode(ledger)
  aws.ignore(...IGNORED_CLAIMS)
  if (aws.requireString('aws_account') !== accountId || role.accountId !== accountId) {
    throw new ProofError('claims_inconsistent', 'the token is about another account than the one that signed it')
  }
  return { subject, tokenId, role, session: readSession(aws) }
}

/** The other mode lets the caller choose the subject. Only AWS's promise that it cannot choose an ARN stands between the two. */
function checkSubjectMode(claims: ClaimsLedger): void {
  const mode = claims.take('subject_mode')
  if (mode === undefined || mode === 'AWSIdentity') return
  throw new ProofError('principal_not_accepted', 'the subject is one that the caller chose')
}

function readSession(aws: ClaimsLedger): SessionClaims {
  return {
    sourceRegion: aws.optionalString('source_region'),
    orgId: aws.optionalString('org_id'),
    ouPath: readOuPath(aws),
    instanceId: readInstanceId(aws.optionalString('ec2_source_instance_arn')),
    functionArn: aws.optionalString('lambda_source_function_arn'),
    principalTags: readTags(aws.take('principal_tags')),
  }
}

/** Documented as a string, and sent as a list of one: an account stands in one place. */
function readOuPath(aws: ClaimsLedger): string | undefined {
  const path = aws.take('ou_path')
  const [only, ...others] = Array.isArray(path) ? (path as readonly unknown[]) : [path]
  if (only === undefined && path === undefined) return undefined
  return typeof only === 'string' && others.length === 0 ? only : invalid('ou_path')
}

const INSTANCE_ARN = /^arn:aws(?:-[a-z]+)*:ec2:[a-z0-9-]{1,32}:\d{12}:instance\/(i-[0-9a-z]{1,32})$/

function readInstanceId(arn: string | undefined): string | undefined {
  if (arn === undefined) return undefined
  return INSTANCE_ARN.exec(arn)?.[1] ?? invalid('ec2_source_instance_arn')
}

function readTags(tags: unknown): ReadonlyMap<string, string> {
  if (tags === undefined) return new Map()
  if (!isJsonObject(tags)) return invalid('principal_tags')
  return new Map(
    Object.entries(tags).map(([key, value]) => [key, typeof value === 'string' ? value : invalid('principal_tags')]),
  )
}

function invalid(claim: string): never {
  throw new ProofError('claim_invalid', `the claim ${claim} has the wrong form`, { facts: { claim } })
}
