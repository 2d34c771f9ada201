/** Which addresses are the public Internet's: every special block, to its first and last address. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isPublicAddress } from '../../providers/kit/addresses.ts'

/** First and last address of each block that is not public, and the public neighbours where there are any. */
const IPV4: readonly (readonly [block: string, first: string, last: string, ...neighbours: string[]])[] = [
  ['this network', '0.0.0.0', '0.255.255.255', '1.0.0.0'],
  ['private, class A', '10.0.0.0', '10.255.255.255', '9.255.255.255', '11.0.0.0'],
  ['carrier-grade NAT', '100.64.0.0', '100.127.255.255', '100.63.255.255', '100.128.0.0'],
  ['loopback', '127.0.0.0', '127.255.255.255', '126.255.255.255', '128.0.0.0'],
  ['link-local, with the metadata services', '169.254.0.0', '169.254.255.255', '169.253.255.255', '169.255.0.0'],
  ['private, class B', '172.16.0.0', '172.31.255.255', '172.15.255.255', '172.32.0.0'],
  ['protocol assignments', '192.0.0.0', '192.0.0.255', '191.255.255.255', '192.0.1.0'],
  ['documentation 1', '192.0.2.0', '192.0.2.255', '192.0.1.255', '192.0.3.0'],
  ['AS112', '192.31.196.0', '192.31.196.255', '192.31.195.255', '192.31.197.0'],
  ['automatic multicast tunnels', '192.52.193.0', '192.52.193.255', '192.52.192.255', '192.52.194.0'],
  ['6to4 relays', '192.88.99.0', '192.88.99.255', '192.88.98.255', '192.88.100.0'],
  ['private, class C', '192.168.0.0', '192.168.255.255', '192.167.255.255', '192.169.0.0'],
  ['direct delegation AS112', '192.175.48.0', '192.175.48.255', '192.175.47.255', '192.175.49.0'],
  ['benchmarks', '198.18.0.0', '198.19.255.255', '198.17.255.255', '198.20.0.0'],
  ['documentation 2', '198.51.100.0', '198.51.100.255', '198.51.99.255', '198.51.101.0'],
  ['documentation 3', '203.0.113.0', '203.0.113.255', '203.0.112.255', '203.0.114.0'],
  ['multicast', '224.0.0.0', '239.255.255.255', '223.255.255.255'],
  ['reserved, and broadcast', '240.0.0.0', '255.255.255.255'],
]

describe.each(IPV4)('the block for %s', (_, first, last, ...neighbours) => {
  test('is not public from end to end, and its neighbours are', () => {
    const property = fc.property(fc.integer({ min: numberOf(first), max: numberOf(last) }), (number) => {
      expect(isPublicAddress(textOf(number))).toBe(false)
    })

    expect([first, last].map(isPublicAddress)).toEqual([false, false])
    fc.assert(property, { numRuns: 50 })
    for (const neighbour of neighbours) expect(isPublicAddress(neighbour)).toBe(true)
  })

  function numberOf(address: string): number {
    return address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0)
  }

  function textOf(number: number): string {
    return [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff).join('.')
  }
})

describe('an IPv6 address', () => {
  test.each([
    ['no address at all', '::'],
    ['loopback', '::1'],
    ['an IPv4 address, mapped', '::ffff:8.8.8.8'],
    ['an IPv4 address, mapped, in hex', '::ffff:7f00:1'],
    ['an IPv4 address, compatible', '::8.8.8.8'],
    ['an IPv4 address behind a translator', '64:ff9b::8.8.8.8'],
    ['an IPv4 address behind a local translator', '64:ff9b:1::8.8.8.8'],
    ['discarded', '100::1'],
    ['the last before the global block', '1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['the first behind it', '4000::'],
    ['a Teredo tunnel', '2001::1'],
    ['a benchmark', '2001:2::1'],
    ['a cryptographic identifier', '2001:20::1'],
    ['the last of the protocol assignments', '2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['documentation', '2001:db8::1'],
    ['the last of documentation', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['6to4, of a public address', '2002:808:808::1'],
    ['6to4, of loopback', '2002:7f00:1::1'],
    ['direct delegation AS112', '2620:4f:8000::1'],
    ['documentation, the larger block', '3fff::1'],
    ['segment routing', '5f00::1'],
    ['unique local', 'fc00::1'],
    ['AWS’s metadata service', 'fd00:ec2::254'],
    ['link-local', 'fe80::1'],
    ['link-local with its link', 'fe80::1%eth0'],
    ['site-local', 'fec0::1'],
    ['multicast', 'ff02::1'],
    ['in capitals', 'FE80::1'],
  ])('that is %s is not public: %s', (_, address) => {
    expect(isPublicAddress(address)).toBe(false)
  })

  test.each(['2000::', '2001:200::1', '2001:4860:4860::8888', '2606:4700::1111', '2a00:1450::1', '3ffe:ffff::1'])(
    '%s is public',
    (address) => {
      expect(isPublicAddress(address)).toBe(true)
    },
  )

  test('outside of the global block is never public', () => {
    const property = fc.property(fc.ipV6(), (address) => {
      const first = Number.parseInt(address.startsWith(':') ? '0' : (address.split(':')[0] ?? '0'), 16)
      fc.pre(first < 0x2000 || first > 0x3fff)

      expect(isPublicAddress(address)).toBe(false)
    })

    fc.assert(property, { numRuns: 500 })
  })
})

test.each([
  '',
  'localhost',
  'issuer.example',
  '8.8.8',
  '8.8.8.8.8',
  '8.8.8.8:443',
  '[2606:4700::1]',
  '010.8.8.8',
  '0x8.8.8.8',
])('%j is no address, and so not a public one', (text) => {
  expect(isPublicAddress(text)).toBe(false)
})
