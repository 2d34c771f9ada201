/** Whom a helper answers: a token goes to the hosts that somebody named, never to whichever host is asked about. */

import { wrongly } from './answer.ts'

/** A host, and the audience of the token that it gets. */
export interface AllowedHost {
  /** In lower case, with its port unless that is 443. */
  readonly host: string
  /** Undefined for the one that is asked for otherwise. */
  readonly audience: string | undefined
}

const NAME = /^([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(:\d{1,5})?$/

/**
 * Reads `HOST[:PORT][=AUDIENCE]` entries. Refuses an empty list, a scheme, a path, a pattern, and a host that is named twice: a host
 * is compared as a whole.
 */
export function parseHosts(entries: readonly string[]): readonly AllowedHost[] {
  const hosts = entries.map(parseEntry)
  if (hosts.length === 0) {
    throw wrongly('--host', 'name each host that gets a token, here or in CHANCERY_CREDENTIAL_HOSTS: no other gets one')
  }
  const repeated = hosts.find(({ host }, at) => hosts.findIndex((other) => other.host === host) !== at)
  if (repeated !== undefined) throw wrongly('--host', `${repeated.host} is named twice`)
  return hosts
}

/** Gives the entry of a host as a consumer spells it; undefined where it is to get nothing. */
export function findHost(hosts: readonly AllowedHost[], asked: string): AllowedHost | undefined {
  const host = normal(asked)
  return hosts.find((allowed) => allowed.host === host)
}

function parseEntry(entry: string): AllowedHost {
  const at = entry.indexOf('=')
  const host = normal(at === -1 ? entry : entry.slice(0, at))
  const audience = at === -1 ? undefined : entry.slice(at + 1)
  if (!NAME.test(host)) {
    throw wrongly('--host', `"${entry}" is not HOST, HOST:PORT or HOST=AUDIENCE: neither a URL nor a pattern`)
  }
  if (audience === '') throw wrongly('--host', `"${entry}" names no audience after its =`)
  return { host, audience }
}

function normal(host: string): string {
  return host.toLowerCase().replace(/:443$/, '')
}
