/** Which URLs a document may make us fetch. */

import { isIP } from 'node:net'

/** Hosts that a trusted issuer may name although they are private (`host` or `host:port`), and those that the operator did. */
export interface HostAllowance {
  readonly privateHosts: readonly string[]
  readonly insecureHosts: ReadonlySet<string>
}

/** Ports that a public issuer's https may be on; any other is named in `private_hosts`. */
const USUAL_PORTS: ReadonlySet<string> = new Set(['443', '6443', '8443'])

/** Labels of letters, digits, hyphens and underscores, as URL parsing leaves them. */
const HOST_NAME = /^([a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?$/

/** Gives a URL's host without the brackets of an IPv6 literal. */
export function hostnameOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '')
}

/** Gives `host:port` as it is written in `--insecure-host` and `private_hosts`, with the default port filled in. */
export function authorityOf(url: URL): string {
  return `${url.hostname}:${portOf(url)}`
}

/** Answers whether the operator allowed plain http and private addresses for this host and port. */
export function isInsecureHost(url: URL, allowance: HostAllowance): boolean {
  return allowance.insecureHosts.has(authorityOf(url))
}

/** Answers whether private addresses are expected at this host. */
export function isPrivateHost(url: URL, allowance: HostAllowance): boolean {
  return (
    isInsecureHost(url, allowance) ||
    allowance.privateHosts.some((host) => host === url.hostname || host === authorityOf(url))
  )
}

/**
 * Says why a URL may not be fetched, in words for whoever wrote it; undefined where it may.
 *
 * Only https on a usual port of a named host passes, unless the host is named as private, or as insecure by the operator. What
 * the name resolves to is checked again at each connection.
 */
export function findUrlProblem(text: string, allowance: HostAllowance): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || /[\s\\]/.test(text)) return 'is not a URL'
  if (url.username !== '' || url.password !== '' || text.includes('@')) return 'must not hold credentials'
  if (url.hash !== '' || text.includes('#')) return 'must not have a fragment'
  if (text.includes('*')) return 'must not hold a wildcard: name each issuer'
  if (isInsecureHost(url, allowance) && (url.protocol === 'http:' || url.protocol === 'https:')) return undefined
  if (url.protocol !== 'https:') return 'must be https'
  // What a URL may hold and no name can: a template that was not filled in (`https://{region}.example`) would be looked up as it is.
  if (isIP(hostnameOf(url)) === 0 && !HOST_NAME.test(url.hostname))
    return 'must name a host by letters, digits and hyphens'
  if (isPrivateHost(url, allowance)) return undefined
  const name = `name ${authorityOf(url)} in private_hosts if it is yours`
  if (isIP(hostnameOf(url)) !== 0) return `must not name an IP address: ${name}`
  const hostname = url.hostname.replace(/\.$/, '')
  if (!hostname.includes('.') || /\.(local|internal|localhost|svc)$/.test(hostname)) {
    return `is on a private network: ${name}`
  }
  if (!USUAL_PORTS.has(portOf(url))) return `is on an unusual port: ${name}`
  return undefined
}

function portOf(url: URL): string {
  if (url.port !== '') return url.port
  return url.protocol === 'http:' ? '80' : '443'
}
