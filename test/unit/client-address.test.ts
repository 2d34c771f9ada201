/** Whose address a request came from, as far as those who passed it on are believed. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { clientAddressOf, createTrustedProxies, parseCidr } from '../../src/http/client-address.ts'

const PROXIES = createTrustedProxies(['10.0.0.0/8', '2001:db8:1::/48', '192.0.2.7'])
const NOBODY = createTrustedProxies([])

describe('a network', () => {
  test.each([
    ['10.0.0.0/8', { address: '10.0.0.0', prefix: 8, family: 'ipv4' }],
    ['0.0.0.0/0', { address: '0.0.0.0', prefix: 0, family: 'ipv4' }],
    ['192.0.2.7', { address: '192.0.2.7', prefix: 32, family: 'ipv4' }],
    ['192.0.2.7/32', { address: '192.0.2.7', prefix: 32, family: 'ipv4' }],
    ['2001:db8::/32', { address: '2001:db8::', prefix: 32, family: 'ipv6' }],
    ['::1', { address: '::1', prefix: 128, family: 'ipv6' }],
    ['::/128', { address: '::', prefix: 128, family: 'ipv6' }],
  ])('is an address, and how much of it counts: %s', (text, network) => {
    expect(parseCidr(text)).toEqual(network)
  })

  test.each([
    ...[
      '',
      '/',
      '/8',
      '10.0.0.0/',
      '10.0.0.0/33',
      '10.0.0.0/-1',
      '10.0.0.0/8/8',
      '10.0.0.0/8.0',
      '10.0.0.0/ 8',
      '10.0.0.0/+8',
    ],
    ...[
      '10.0.0/8',
      '10.0.0.256',
      '010.0.0.0/8',
      '::/129',
      '::/0128',
      '2001:db8::g',
      'example.com',
      'localhost',
      '10.0.0.0/8 ',
    ],
    ...['10.0.0.0/1e1', '10.0.0.0/0x8', '10.0.0.0/255.0.0.0'],
  ])('is nothing else: %j', (text) => {
    expect(parseCidr(text)).toBeUndefined()
  })

  test.each([
    ['10.255.255.255', true],
    ['11.0.0.0', false],
    ['2001:db8:1:ffff::1', true],
    ['2001:db8:2::1', false],
    ['192.0.2.7', true],
    ['192.0.2.8', false],
    ['::ffff:10.0.0.1', true],
    ['::ffff:11.0.0.1', false],
  ])('of a trusted proxy holds its own addresses alone: %s %s', (address, isTrusted) => {
    expect(PROXIES(address)).toBe(isTrusted)
    expect(NOBODY(address)).toBe(false)
  })
})

describe('the address of a request', () => {
  test.each<[string, string, string | undefined, string]>([
    ['is the peer’s', '198.51.100.1', undefined, '198.51.100.1'],
    ['is the peer’s, whatever a stranger says', '198.51.100.1', '203.0.113.1', '198.51.100.1'],
    ['is a trusted proxy’s own where it says nothing', '10.0.0.1', undefined, '10.0.0.1'],
    ['is what a trusted proxy says', '10.0.0.1', '203.0.113.1', '203.0.113.1'],
    ['is the last that no trusted proxy is', '10.0.0.1', '198.51.100.9, 203.0.113.1, 10.0.0.2', '203.0.113.1'],
    ['is not what stands further left', '10.0.0.1', '10.9.9.9, 203.0.113.1', '203.0.113.1'],
    ['is the first where all are trusted', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['is IPv6 too', '2001:db8:1::1', '2001:db8:9::1', '2001:db8:9::1'],
    ['is not wrapped, as the peer is on a socket for both', '::ffff:198.51.100.1', undefined, '198.51.100.1'],
    ['is not wrapped, as a proxy is on such a socket', '::ffff:10.0.0.1', '203.0.113.1', '203.0.113.1'],
    ['is not wrapped where a proxy says it so', '10.0.0.1', '::ffff:203.0.113.1', '203.0.113.1'],
    ['is not wrapped in capitals', '::FFFF:198.51.100.1', undefined, '198.51.100.1'],
    ['is the proxy’s where it says something that is no address', '10.0.0.1', 'unknown', '10.0.0.1'],
    ['is the nearest proxy’s behind nonsense', '10.0.0.1', '203.0.113.1, nonsense, 10.0.0.2', '10.0.0.2'],
    ['is without the port that Azure’s gateways add', '10.0.0.1', '203.0.113.1:4711', '203.0.113.1'],
    ['is without the port of a trusted proxy', '10.0.0.1', '203.0.113.1:4711, 10.0.0.2:80', '203.0.113.1'],
    ['is IPv6 in brackets too', '10.0.0.1', '[2001:db8:9::1]:4711', '2001:db8:9::1'],
    ['is IPv6 in brackets without a port', '10.0.0.1', '[2001:db8:9::1]', '2001:db8:9::1'],
    ['is IPv6 whole, where its end looks like a port', '10.0.0.1', '2001:db8:9::4711', '2001:db8:9::4711'],
    ['is the proxy’s where a port is no number', '10.0.0.1', '203.0.113.1:http', '10.0.0.1'],
    ['is the proxy’s where brackets hold no address', '10.0.0.1', '[203.0.113]:80', '10.0.0.1'],
    ['is the proxy’s where it says nothing at the end', '10.0.0.1', '203.0.113.1,', '10.0.0.1'],
    ['is the same with any white space', '10.0.0.1', ' 203.0.113.1\t,\t10.0.0.2 ', '203.0.113.1'],
  ])('%s', (_what, peer, forwarded, expected) => {
    expect(clientAddressOf(peer, forwarded, PROXIES)).toBe(expected)
  })

  test('of a peer on the same link is taken with its zone', () => {
    expect(clientAddressOf('fe80::1%eth0', undefined, PROXIES)).toBe('fe80::1%eth0')
  })

  test('is the peer, or is said by a trusted proxy, and never throws', () => {
    const address = fc.oneof(
      fc.constantFrom('10.0.0.1', '10.0.0.2', '203.0.113.1', '198.51.100.1', '2001:db8:1::1', 'unknown', ''),
      fc.ipV4(),
      fc.ipV6(),
      fc.string(),
    )
    const peers = fc.oneof(fc.constantFrom('10.0.0.1', '198.51.100.1', '::ffff:10.0.0.1'), fc.ipV4(), fc.ipV6())
    const property = fc.property(peers, fc.array(address, { maxLength: 5 }), (peer, hops) => {
      const unwrapped = peer.replace('::ffff:10', '10')

      const found = clientAddressOf(peer, hops.join(', '), PROXIES)

      expect(found === unwrapped || PROXIES(unwrapped)).toBe(true)
      expect(clientAddressOf(peer, hops.join(', '), NOBODY)).toBe(unwrapped)
    })

    fc.assert(property, { numRuns: 1_000 })
  })
})
