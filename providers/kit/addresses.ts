/** Which IP addresses are the public Internet's. */

import { BlockList, isIPv4, isIPv6 } from 'node:net'

/** Everything that IANA's special-purpose registries hold, and one address that a cloud gave a special purpose of its own. */
const SPECIAL_IPV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  // Azure's host endpoint, reachable from every VM there.
  '168.63.129.16/32',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
] as const

/** The only IPv6 block that holds public addresses, and the parts of it that do not. */
const GLOBAL_IPV6 = '2000::/3'
const SPECIAL_IPV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3fff::/20'] as const

const special = new BlockList()
const globalIpv6 = new BlockList()
for (const range of SPECIAL_IPV4) addRange(special, range, 'ipv4')
for (const range of SPECIAL_IPV6) addRange(special, range, 'ipv6')
addRange(globalIpv6, GLOBAL_IPV6, 'ipv6')

/**
 * Answers whether an address belongs to the public Internet. What is no address does not.
 *
 * IPv4 addresses inside IPv6 ones (mapped, NAT64, 6to4) are never public: a translator would take us to the address inside.
 *
 * @see {@link https://www.iana.org/assignments/iana-ipv4-special-registry IANA IPv4 special-purpose registry}
 * @see {@link https://www.iana.org/assignments/iana-ipv6-special-registry IANA IPv6 special-purpose registry}
 */
export function isPublicAddress(address: string): boolean {
  if (isIPv6(address)) return globalIpv6.check(address, 'ipv6') && !special.check(address, 'ipv6')
  return isIPv4(address) && !special.check(address, 'ipv4')
}

function addRange(list: BlockList, range: string, family: 'ipv4' | 'ipv6'): void {
  const [network = '', prefix = ''] = range.split('/')
  list.addSubnet(network, Number(prefix), family)
}
