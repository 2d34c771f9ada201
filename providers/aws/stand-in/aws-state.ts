/** What AWS remembers: accounts, and who is in them. */

import { randomInt, randomUUID } from 'node:crypto'
import { type AccountKeys, createAccountKeys } from './account-keys.ts'

export interface Account {
  /** Twelve digits, leading zeros kept. */
  readonly id: string
  readonly partition: string
  /** What its web identity tokens name as `iss`. */
  readonly issuer: string
  /** The path under which the stand-in publishes its metadata and keys: `/<uuid>`. */
  readonly issuerPath: string
  readonly organisation: { readonly id: string; readonly path: string } | undefined
  readonly keys: AccountKeys
  readonly oidcProviders: readonly OidcProvider[]
  readonly hasOutboundFederation: boolean
}

/** An issuer whose JWTs may be traded for a role of the account. */
export interface OidcProvider {
  readonly issuer: string
  /** The audiences that its JWTs may be made for. */
  readonly clientIds: readonly string[]
  /** Where its keys are; by default where its metadata says. */
  readonly jwksUri?: string
}

export type Tags = Readonly<Record<string, string>>

export interface Role {
  readonly kind: 'role'
  readonly account: Account
  readonly name: string
  /** Begins and ends with a slash. */
  readonly path: string
  /** With the path, as IAM and web identity tokens write it. */
  readonly arn: string
  /** `AROA…`, another one for a role that was deleted and created again. */
  readonly id: string
  readonly tags: Tags
  readonly trusts: readonly WebIdentityTrust[]
}

/** Whom a role lets in with a JWT. */
export interface WebIdentityTrust {
  readonly issuer: string
  readonly subject: string
}

export interface User {
  readonly kind: 'user'
  readonly account: Account
  readonly name: string
  readonly path: string
  readonly arn: string
  /** `AIDA…` */
  readonly id: string
  readonly tags: Tags
}

export interface AccountWish {
  readonly partition?: string
  readonly uuid?: string
  /** Any string; by default an address of the stand-in, so that discovery works. */
  readonly issuer?: string
  readonly organisation?: { readonly id: string; readonly path: string }
  /** Whether `GetWebIdentityToken` works from the beginning, which on AWS it does not. */
  readonly hasOutboundFederation?: boolean
}

export interface RoleWish {
  readonly path?: string
  readonly tags?: Tags
  readonly trusts?: readonly WebIdentityTrust[]
}

/** Throws where an account is asked for that was not created. */
export interface AwsState {
  createAccount(id: string, wish?: AccountWish): Account
  account(id: string): Account
  accounts(): readonly Account[]
  setOutboundFederation(accountId: string, isOn: boolean): void
  addOidcProvider(accountId: string, provider: OidcProvider): void
  createRole(accountId: string, name: string, wish?: RoleWish): Role
  /** A role as IAM Identity Center makes it of a permission set. */
  createIdentityCenterRole(accountId: string, permissionSet: string): Role
  deleteRole(role: Role): void
  /** By its full ARN. */
  role(arn: string): Role | undefined
  createUser(accountId: string, name: string, wish?: Omit<RoleWish, 'trusts'>): User
}

interface MutableAccount extends Account {
  hasOutboundFederation: boolean
  readonly oidcProviders: OidcProvider[]
}

export function createAwsState(origin: string): AwsState {
  const accounts = new Map<string, MutableAccount>()
  const roles = new Map<string, Role>()
  const account = (id: string): MutableAccount => {
    const found = accounts.get(id)
    if (found === undefined) throw new Error(`there is no account ${id}`)
    return found
  }
  const createRole = (accountId: string, name: string, { path = '/', tags = {}, trusts = [] }: RoleWish = {}): Role => {
    const owner = account(accountId)
    const arn = `arn:${owner.partition}:iam::${owner.id}:role${path}${name}`
    const role: Role = { kind: 'role', account: owner, name, path, arn, id: uniqueId('AROA'), tags, trusts }
    roles.set(arn, role)
    return role
  }
  return {
    createAccount(id, wish = {}) {
      const created = accountOf(id, wish, origin)
      accounts.set(id, created)
      return created
    },
    account,
    accounts: () => [...accounts.values()],
    setOutboundFederation(accountId, isOn) {
      account(accountId).hasOutboundFederation = isOn
    },
    addOidcProvider: (accountId, provider) => void account(accountId).oidcProviders.push(provider),
    createRole,
    createIdentityCenterRole(accountId, permissionSet) {
      const hash = randomUUID().replaceAll('-', '').slice(0, 16)
      const path = '/aws-reserved/sso.amazonaws.com/'
      return createRole(accountId, `AWSReservedSSO_${permissionSet}_${hash}`, { path })
    },
    deleteRole: ({ arn }) => void roles.delete(arn),
    role: (arn) => roles.get(arn),
    createUser(accountId, name, { path = '/', tags = {} } = {}) {
      const owner = account(accountId)
      const arn = `arn:${owner.partition}:iam::${owner.id}:user${path}${name}`
      return { kind: 'user', account: owner, name, path, arn, id: uniqueId('AIDA'), tags }
    },
  }
}

function accountOf(id: string, wish: AccountWish, origin: string): MutableAccount {
  const issuerPath = `/${wish.uuid ?? randomUUID()}`
  return {
    id,
    partition: wish.partition ?? 'aws',
    issuer: wish.issuer ?? `${origin}${issuerPath}`,
    issuerPath,
    organisation: wish.organisation,
    keys: createAccountKeys(),
    oidcProviders: [],
    hasOutboundFederation: wish.hasOutboundFederation ?? true,
  }
}

const ID_CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** Makes an id as AWS does: a prefix that says what it is of, then 16 characters of base32, 17 for a principal. */
export function uniqueId(prefix: 'AROA' | 'AIDA' | 'ASIA' | 'AKIA'): string {
  const length = prefix === 'AROA' || prefix === 'AIDA' ? 17 : 16
  return prefix + Array.from({ length }, () => ID_CHARACTERS[randomInt(ID_CHARACTERS.length)]).join('')
}
