/** The keys of a cloud's Entra: one set for all tenants, in which every key says whose it is. */

import { randomBytes } from 'node:crypto'
import { exportSPKI, type JWK } from 'jose'
import { generateStandInKey, type StandInKey } from '../../kit/stand-in-keys.ts'
import type { AzureCloud } from '../issuers.ts'
import { v2Issuer } from './tokens.ts'

/** The tenant of Microsoft's consumer accounts. Its keys stand beside those of all others. */
const CONSUMER_TENANT = '9188040d-6c67-4c5b-b112-36a304b66dad'

/** Entra's keys, private halves included. */
export interface SigningKeys {
  readonly current: StandInKey
  /** A key that is for the consumers' tenant and for no other. */
  readonly consumer: StandInKey
  readonly published: { readonly v1: JwkSet; readonly v2: JwkSet }
  /** Signs with a new key from now on; the old one stays published unless it is dropped. */
  rotate(options: { readonly dropOld: boolean }): Promise<void>
}

/** A key set as it is published. */
export interface JwkSet {
  readonly keys: readonly EntraJwk[]
}

/** Entra's own member says which tenants' tokens a key is for. */
export interface EntraJwk extends JWK {
  readonly issuer?: string
}

interface PublishedKey {
  readonly key: StandInKey
  readonly member: JWK
}

/** Makes the keys of a cloud: one to sign with, and the consumers' one. */
export async function createSigningKeys(cloud: AzureCloud): Promise<SigningKeys> {
  const consumer = await makeKey()
  const first = await makeKey()
  let keys = [first]
  const scoped = ({ member }: PublishedKey, tenant: string): EntraJwk => ({
    ...member,
    issuer: v2Issuer(cloud, tenant),
  })
  return {
    get current() {
      return (keys[0] ?? first).key
    },
    consumer: consumer.key,
    get published() {
      return {
        v1: { keys: keys.map(({ member }) => member) },
        v2: { keys: [...keys.map((key) => scoped(key, '{tenantid}')), scoped(consumer, CONSUMER_TENANT)] },
      }
    },
    async rotate({ dropOld }) {
      keys = [await makeKey(), ...(dropOld ? [] : keys)]
    },
  }
}

/** A member of Entra's sets has no `alg`. Its `x5c` here is the bare public key: whoever verifies by `n` and `e` never looks. */
async function makeKey(): Promise<PublishedKey> {
  const key = await generateStandInKey('RS256', randomBytes(20).toString('base64url'))
  const pem = await exportSPKI(key.publicKey)
  const { alg: _, ...member } = key.jwk
  return { key, member: { ...member, x5t: key.keyId, x5c: [pem.replaceAll(/-----[^-]+-----|\s/g, '')] } }
}
