/** What a Google Cloud remembers: service accounts, who may act as whom, and the access tokens that it handed out. */

import { randomBytes, randomInt } from 'node:crypto'
import type { NumericDate } from '../../contract/proof.ts'

export interface ServiceAccount {
  readonly email: string
  /** 21 digits. An account that is created again under the same e-mail address has another. */
  readonly uniqueId: string
}

export interface CloudState {
  createServiceAccount(email: string, uniqueId?: string): ServiceAccount
  deleteServiceAccount(email: string): void
  serviceAccount(email: string): ServiceAccount | undefined
  /** Lets one account have tokens of another. Lost with either of them, as on the real platform. */
  allowImpersonation(source: string, target: string): void
  mayImpersonate(source: string, target: string): boolean
  createAccessToken(email: string): string
  /** The e-mail address of an access token's account; undefined where the token is unknown or has expired. */
  holderOf(accessToken: string): string | undefined
}

/** Life of an access token, in seconds. */
export const ACCESS_TOKEN_SECONDS = 3_599

export function createCloudState(now: () => NumericDate): CloudState {
  const accounts = new Map<string, ServiceAccount>()
  const impersonations = new Set<string>()
  const accessTokens = new Map<string, { readonly email: string; readonly expiresAt: NumericDate }>()
  const pair = (source: string, target: string): string | undefined => {
    const [from, to] = [accounts.get(source), accounts.get(target)]
    return from === undefined || to === undefined ? undefined : `${from.uniqueId} as ${to.uniqueId}`
  }
  return {
    createServiceAccount(email, uniqueId = createUniqueId()) {
      const account = { email, uniqueId }
      accounts.set(email, account)
      return account
    },
    deleteServiceAccount: (email) => void accounts.delete(email),
    serviceAccount: (email) => accounts.get(email),
    allowImpersonation(source, target) {
      const both = pair(source, target)
      if (both === undefined) throw new Error(`no service accounts ${source} and ${target}`)
      impersonations.add(both)
    },
    mayImpersonate: (source, target) => impersonations.has(pair(source, target) ?? ''),
    createAccessToken(email) {
      const token = `ya29.c.${randomBytes(48).toString('base64url')}`
      accessTokens.set(token, { email, expiresAt: now() + ACCESS_TOKEN_SECONDS })
      return token
    },
    holderOf(accessToken) {
      const known = accessTokens.get(accessToken)
      return known === undefined || known.expiresAt <= now() ? undefined : known.email
    },
  }
}

/** Gives a number of 21 digits, which is how Google names whoever has an account. */
export function createUniqueId(): string {
  return `1${Array.from({ length: 20 }, () => randomInt(10)).join('')}`
}
