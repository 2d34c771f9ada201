/** The key set of one exact `iss`, from wherever the document says that its keys are. */

import type { ProviderName } from '../contract/proof.ts'
import type { Ports } from '../contract/provider.ts'
import { type HttpClient, UPSTREAM_TIMEOUT_MS } from './http.ts'
import { createIssuerHttp, type IssuerHttpSettings } from './issuer-http.ts'
import { createRemoteKeySet, createStaticKeySet, type KeySet } from './key-set.ts'
import { type FetchedKeys, fetchKeys, type KeysSetting } from './key-source.ts'

export interface IssuerKeysSettings extends IssuerHttpSettings {
  readonly provider: ProviderName
  /** The exact `iss` that these keys verify, and no other. */
  readonly issuer: string
  readonly keys: KeysSetting
  /** What else decides which keys are fetched and kept, such as the cloud that an `iss` of several clouds is meant to be of. */
  readonly variant?: string
  /** Fetches the keys where the platform itself publishes them: what `discovery` means. */
  readonly discover: (http: HttpClient, signal: AbortSignal) => Promise<FetchedKeys>
  /** Answers whether a member of the set may verify this issuer's proofs; whatever is published beside those is left alone. */
  readonly isOfIssuer?: (member: unknown) => boolean
}

/** Gives the key set of an issuer. A fetched one outlives a reload of the document, unless that changes where or how it is fetched. */
export function createIssuerKeys(settings: IssuerKeysSettings, ports: Ports): KeySet {
  const { provider, trustedIssuer, issuer, variant, keys, privateHosts, caFile } = settings
  const { discover, isOfIssuer = () => true } = settings
  if (keys.from === 'inline') return createStaticKeySet(keys.jwks.keys.filter(isOfIssuer))
  const id = JSON.stringify([`${provider} keys`, trustedIssuer, issuer, variant, keys, privateHosts, caFile])
  return ports.memory.recall(id, () => {
    const http = createIssuerHttp({ trustedIssuer, privateHosts, caFile }, ports)
    const fetch = async (): Promise<FetchedKeys> => {
      const signal = AbortSignal.timeout(UPSTREAM_TIMEOUT_MS)
      const client = await http()
      const fetched = await (keys.from === 'url' ? fetchKeys(client, keys.url, signal) : discover(client, signal))
      return { ...fetched, members: fetched.members.filter(isOfIssuer) }
    }
    return createRemoteKeySet({ trustedIssuer, fetch, now: ports.now, observe: ports.observe })
  })
}
