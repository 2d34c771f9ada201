/** Whose address a request came from, as far as those who passed it on can be believed. */

import { BlockList, isIP } from 'node:net'

/** Addresses of proxies whose `X-Forwarded-For` is believed. */
export type TrustedProxies = (address: string) => boolean

/** Reads `ADDRESS/PREFIX` or `ADDRESS`; undefined where it is neither. */
export function parseCidr(text: string): { address: string; prefix: number; family: 'ipv4' | 'ipv6' } | undefined {
  const [address = '', prefix, ...rest] = text.split('/')
  const version = isIP(address)
  if (version === 0 || rest.length > 0) return undefined
  const bits = version === 4 ? 32 : 128
  if (prefix === undefined) return { address, prefix: bits, family: version === 4 ? 'ipv4' : 'ipv6' }
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > bits) return undefined
  return { address, prefix: Number(prefix), family: version === 4 ? 'ipv4' : 'ipv6' }
}

/** Makes the test for an operator's list of networks, each already known to be one. */
export function createTrustedProxies(cidrs: readonly string[]): TrustedProxies {
  const list = new BlockList()
  for (const cidr of cidrs) {
    const network = parseCidr(cidr)
    if (network !== undefined) list.addSubnet(network.address, network.prefix, network.family)
  }
  return (address) => list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

/**
 * Gives the address of the last hop that is not a trusted proxy: the peer itself, unless it is one. What stands further left in
 * the header was written by whoever sent it.
 */
export function clientAddressOf(peer: string, forwardedFor: string | undefined, isTrusted: TrustedProxies): string {
  const hops = [...(forwardedFor ?? '').split(',').map((hop) => hop.trim()), unmap(peer)]
  for (let index = hops.length - 1; index > 0; index--) {
    const hop = hops[index] ?? ''
    const before = addressIn(hops[index - 1] ?? '')
    if (!isTrusted(hop) || isIP(before) === 0) return hop
    hops[index - 1] = before
  }
  return hops[0] ?? peer
}

/** Azure's Application Gateway writes a port behind each address, and whoever does that with IPv6 needs brackets. */
function addressIn(hop: string): string {
  const [, ipv4, ipv6] = /^(?:([\d.]+)|\[([\da-f:.]+)\])(?::\d{1,5})?$/i.exec(hop) ?? []
  return unmap(ipv4 ?? ipv6 ?? hop)
}

/** An IPv4 peer of a socket that listens on `::` comes as `::ffff:192.0.2.1`. */
function unmap(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address
}
