/** The hosts at which platforms publish their keys, asked under their own names over TLS. Nothing leaves the machine. */

import { type StandInAnswer, startStandInServer } from '../../providers/kit/stand-in-server.ts'
import { createAuthority } from './certificates.ts'
import { startConnectProxy } from './connect-proxy.ts'
import type { TestPortsOptions } from './provider-ports.ts'

export interface KeyHosts {
  /** Makes every request end here. Settings name the authority as `ca.pem`. */
  readonly ports: Required<Pick<TestPortsOptions, 'proxy' | 'files'>>
  /** The URLs that were asked for so far, in order. */
  urls(): readonly string[]
  /** Publishes a JWK Set at a URL. Anything else is not found. */
  publish(url: string, ...keys: readonly object[]): void
  close(): Promise<void>
}

/** Starts hosts by these names. */
export async function startKeyHosts(hostnames: readonly string[]): Promise<KeyHosts> {
  const authority = createAuthority('keys')
  const published = new Map<string, StandInAnswer>()
  const server = await startStandInServer({
    tls: authority.issue({ hostnames }),
    route: ({ path, headers }) => published.get(`https://${headers.host}${path}`) ?? { status: 404 },
  })
  const proxy = await startConnectProxy(() => Number(new URL(server.origin).port))
  return {
    ports: { proxy: new URL(proxy.origin), files: { 'ca.pem': authority.cert } },
    urls: () => server.requests.map(({ path, headers }) => `https://${headers.host}${path}`),
    publish: (url, ...keys) => void published.set(url, { status: 200, body: { keys } }),
    async close() {
      await proxy.close()
      await server.close()
    },
  }
}
