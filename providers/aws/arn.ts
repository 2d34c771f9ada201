/** Who an AWS principal is: the grammar of its ARN, and what must agree with it. */

import { ProofError } from '../contract/errors.ts'
import { PARTITIONS, type Partition } from './endpoints.ts'
import type { CallerIdentity } from './sts-answer.ts'

/** Kinds of principal that a trusted issuer may take: roles, IAM users, and people of IAM Identity Center, who come as roles. */
export const PRINCIPAL_KINDS = ['role', 'user', 'identity_center'] as const

export type PrincipalKind = (typeof PRINCIPAL_KINDS)[number]

/** A principal that a trusted issuer may take. */
export type Principal = {
  readonly arn: string
  readonly partition: Partition
  readonly accountId: string
} & (
  | {
      readonly kind: 'role' | 'identity_center'
      readonly roleName: string
      readonly roleId: string
      readonly sessionName: string
    }
  | { readonly kind: 'user'; readonly userName: string; readonly userId: string }
)

/** @see {@link https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html AWS, names in IAM} */
const NAME = '[\\w+=,.@-]{1,64}'
const PATH = '(?:[\\x21-\\x2e\\x30-\\x7e]{1,510}/)*'
const SESSION = '[\\w+=,.@-]{2,64}'

/** The name of a role, or of a user. */
export const PRINCIPAL_NAME = new RegExp(`^${NAME}$`)

/** The name of a session. */
export const SESSION_NAME = new RegExp(`^${SESSION}$`)

/** The unique id of a role. */
export const ROLE_ID = /^AROA[A-Z0-9]{12,124}$/

/** The unique id of a user. */
export const USER_ID = /^AIDA[A-Z0-9]{12,124}$/

const ASSUMED_ROLE = new RegExp(`^assumed-role/(${NAME})/(${SESSION})$`)
const USER = new RegExp(`^user/${PATH}(${NAME})$`)
const ROLE = new RegExp(`^role(/${PATH})(${NAME})$`)

/** Roles that IAM Identity Center makes for people: nobody else may use the name. */
const IDENTITY_CENTER = /^AWSReservedSSO_/

/**
 * Reads the principal that STS names.
 *
 * Refuses root, federated users, service roles and every other principal that is no role or user. Throws an outage where the
 * parts of the answer contradict each other: such an answer is not STS's.
 *
 * @see {@link https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html AWS, IAM identifiers}
 */
export function readCaller({ account, arn, userId }: CallerIdentity): Principal {
  const { service, partition, accountId, resource } = readArn(arn)
  if (accountId !== account) throw contradictory('the account is not that of the ARN')
  const [, roleName, sessionName] = service === 'sts' ? (ASSUMED_ROLE.exec(resource) ?? []) : []
  if (roleName !== undefined && sessionName !== undefined) {
    const [roleId = '', session, ...more] = userId.split(':')
    if (!ROLE_ID.test(roleId) || session !== sessionName || more.length > 0) {
      throw contradictory('the user id is not that of the role and session')
    }
    return { arn, partition, accountId, kind: kindOfRole(roleName), roleName, roleId, sessionName }
  }
  const [, userName] = service === 'iam' ? (USER.exec(resource) ?? []) : []
  if (userName === undefined) throw refused()
  if (!USER_ID.test(userId)) throw contradictory('the user id is not that of a user')
  return { arn, partition, accountId, kind: 'user', userName, userId }
}

/** A role as IAM names it, with its path. */
export interface Role {
  readonly partition: Partition
  readonly accountId: string
  readonly kind: 'role' | 'identity_center'
  readonly roleName: string
  /** Begins and ends with a slash; `/` where the role has none. */
  readonly rolePath: string
}

/** Reads the ARN of a role, such as a web-identity token has in `sub`. Refuses users, root and sessions. */
export function readRole(arn: string): Role {
  const { service, partition, accountId, resource } = readArn(arn)
  const [, rolePath, roleName] = service === 'iam' ? (ROLE.exec(resource) ?? []) : []
  if (rolePath === undefined || roleName === undefined) throw refused()
  return { partition, accountId, kind: kindOfRole(roleName), roleName, rolePath }
}

/** Tells the roles that IAM Identity Center makes for people from those that an account’s owner made. */
export function kindOfRole(roleName: string): 'role' | 'identity_center' {
  return IDENTITY_CENTER.test(roleName) ? 'identity_center' : 'role'
}

interface Arn {
  readonly partition: Partition
  readonly service: string
  readonly accountId: string
  readonly resource: string
}

/** The names of STS's and IAM's principals hold no colon, so that an ARN has exactly six parts. */
function readArn(arn: string): Arn {
  const [prefix, partition, service = '', region, accountId = '', resource = '', ...more] = arn.split(':')
  const known = PARTITIONS.find((name) => name === partition)
  if (prefix !== 'arn' || known === undefined || region !== '' || !/^\d{12}$/.test(accountId) || more.length > 0) {
    throw refused()
  }
  return { partition: known, service, accountId, resource }
}

function refused(): ProofError {
  return new ProofError('principal_not_accepted', 'the ARN is not one of a role or user')
}

function contradictory(message: string): ProofError {
  return new ProofError('upstream_malformed', message)
}
