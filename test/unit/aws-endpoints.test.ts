/** The table of STS hosts: complete, closed, and nobody else’s. */

import { readFileSync } from 'node:fs'
import { STSClient } from '@aws-sdk/client-sts'
import { describe, expect, test } from 'vitest'
import {
  ENDPOINT_KINDS,
  type EndpointKind,
  endpointsOf,
  findEndpoint,
  PARTITIONS,
  type Partition,
  regionsOf,
  type StsEndpoint,
} from '../../providers/aws/endpoints.ts'

const ALL = PARTITIONS.flatMap(endpointsOf)
const SDK_FILE = '../../node_modules/@aws-sdk/core/dist-es/submodules/client/util-endpoints/lib/aws/partitions.js'
const REFRESH =
  'add what is missing to providers/aws/endpoints.ts, and its date to the README: the installed AWS SDK knows these regions'

interface SdkPartition {
  readonly id: string
  readonly outputs: { readonly dnsSuffix: string; readonly dualStackDnsSuffix: string }
  readonly regions: Readonly<Record<string, object>>
}

/** What the installed SDK knows of AWS: a file of JSON within a statement. */
function readSdkPartitions(): ReadonlyMap<string, SdkPartition> {
  const text = readFileSync(new URL(SDK_FILE, import.meta.url), 'utf8')
  const { partitions } = JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1)) as {
    readonly partitions: readonly SdkPartition[]
  }
  return new Map(partitions.map((partition) => [partition.id, partition]))
}

describe('is as large as it was made', () => {
  test.each<[Partition, number, number]>([
    ['aws', 36, 1 + 36 * 2 + 6 * 2],
    ['aws-cn', 2, 4],
    ['aws-us-gov', 2, 4],
    ['aws-eusc', 1, 2],
  ])('in %s: %i regions, %i hosts', (partition, regions, hosts) => {
    expect(regionsOf(partition)).toHaveLength(regions)
    expect(endpointsOf(partition)).toHaveLength(hosts)
  })

  test('with every host once', () => {
    expect(new Set(ALL.map(({ host }) => host)).size).toBe(ALL.length)
    expect(ALL).toHaveLength(95)
  })

  test('with FIPS hosts in the United States and Canada alone', () => {
    const regions = ALL.filter(({ kinds }) => kinds.includes('fips')).map(({ region }) => region)

    expect(regions).toEqual([
      ...['ca-central-1', 'ca-west-1', 'us-east-1', 'us-east-2', 'us-west-1', 'us-west-2'],
      ...['us-gov-east-1', 'us-gov-west-1'],
    ])
    expect(ALL.filter(({ kinds }) => kinds.includes('fips_dualstack')).map(({ region }) => region)).toEqual(regions)
  })

  test('with one global host, which is signed for in us-east-1', () => {
    expect(ALL.filter(({ kinds }) => kinds.includes('global'))).toEqual([
      { host: 'sts.amazonaws.com', partition: 'aws', region: 'us-east-1', kinds: ['global'] },
    ])
  })
})

describe('agrees with the installed AWS SDK:', () => {
  const sdk = readSdkPartitions()

  test.each(PARTITIONS)('has its regions of %s, and no others', (partition) => {
    const regions = Object.keys(sdk.get(partition)?.regions ?? {}).filter((name) => !name.endsWith('-global'))
    const known = regionsOf(partition)

    expect(
      regions.filter((name) => !known.includes(name)),
      REFRESH,
    ).toEqual([])
    expect(
      known.filter((name) => !regions.includes(name)),
      'the SDK knows no such region',
    ).toEqual([])
  })

  test('knows its partitions but for the secret ones', () => {
    expect([...sdk.keys()].filter((name) => !/^aws-iso/.test(name)).sort(), REFRESH).toEqual([...PARTITIONS].sort())
  })

  // The SDK's rules make names for GovCloud that IAM's User Guide does not have.
  const isGuidesOwn = ({ partition, kinds }: StsEndpoint, kind: EndpointKind): boolean =>
    partition === 'aws-us-gov' && kind === 'fips_dualstack' && kinds.includes('dualstack')

  test('each host is the one that the SDK would ask, signed for the region that the SDK would sign for', () => {
    const resolve = new STSClient({ region: 'us-east-1' }).config.endpointProvider
    const asked = ALL.flatMap((endpoint) => endpoint.kinds.map((kind) => ({ endpoint, kind })))
      .filter(({ endpoint, kind }) => !isGuidesOwn(endpoint, kind))
      .map(({ endpoint, kind }) => {
        const { url, properties } = resolve({
          Region: kind === 'global' ? 'aws-global' : endpoint.region,
          UseFIPS: kind.startsWith('fips'),
          UseDualStack: kind.endsWith('dualstack'),
          UseGlobalEndpoint: false,
        })
        const [scheme] = (properties?.authSchemes ?? []) as readonly { readonly signingRegion?: string }[]
        return { endpoint, host: url.hostname, region: scheme?.signingRegion ?? endpoint.region, href: url.href }
      })

    expect(asked.filter(({ endpoint, host, region }) => endpoint.host !== host || endpoint.region !== region)).toEqual(
      [],
    )
    expect(asked).toHaveLength(97)
  })
})

describe('names nobody but STS:', () => {
  const SUFFIXES: Readonly<Record<Partition, RegExp>> = {
    aws: /^(amazonaws\.com|api\.aws)$/,
    'aws-cn': /^(amazonaws\.com\.cn|api\.amazonwebservices\.com\.cn)$/,
    'aws-us-gov': /^(amazonaws\.com|api\.aws)$/,
    'aws-eusc': /^(amazonaws\.eu|api\.amazonwebservices\.eu)$/,
  }
  const REGION = /^[a-z]{2,4}(-[a-z]+){1,2}-\d$/

  test.each(ALL.filter(({ kinds }) => !kinds.includes('global')))('$host', ({ host, partition, region, kinds }) => {
    const [service, label = '', ...suffix] = host.split('.')

    expect(['sts', 'sts-fips']).toContain(service)
    expect(service === 'sts-fips').toBe(kinds.every((kind) => kind.startsWith('fips')))
    expect(label).toBe(region)
    // A region's name is no name of a service, under which "sts" would be anybody's bucket or endpoint.
    expect(label).toMatch(REGION)
    expect(suffix.join('.')).toMatch(SUFFIXES[partition])
    expect(suffix.join('.').startsWith('api.')).toBe(kinds.some((kind) => kind.endsWith('dualstack')))
  })

  test('regions of each partition are its own', () => {
    const regions = PARTITIONS.flatMap(regionsOf)

    expect(new Set(regions).size).toBe(regions.length)
    expect(regionsOf('aws').filter((name) => /^(cn|us-gov|eusc|us-iso|eu-iso)/.test(name))).toEqual([])
    expect(regionsOf('aws-cn').every((name) => name.startsWith('cn-'))).toBe(true)
    expect(regionsOf('aws-us-gov').every((name) => name.startsWith('us-gov-'))).toBe(true)
    expect(regionsOf('aws-eusc').every((name) => name.startsWith('eusc-'))).toBe(true)
  })

  test('every kind is one that settings can name', () => {
    expect([...new Set(ALL.flatMap(({ kinds }) => kinds))].sort()).toEqual([...ENDPOINT_KINDS].sort())
  })
})

describe('is looked up', () => {
  test('by exact host, each of which is found', () => {
    expect(ALL.map(({ host }) => findEndpoint(host))).toEqual(ALL)
  })

  test.each([
    ...['sts.s3.amazonaws.com', 'sts.s3-us-west-2.amazonaws.com', 'sts.s3.us-east-1.amazonaws.com', 'sts.us-east-1'],
    ...['STS.us-east-1.amazonaws.com', 'sts.us-east-1.amazonaws.com.', 'sts.us-east-1.amazonaws.com:443'],
    ...['sts.us-east-9.amazonaws.com', 'sts-fips.eu-west-1.amazonaws.com', 'sts.us-east-1.amazonaws.com.evil.example'],
    ...['evilsts.us-east-1.amazonaws.com', 'stsXus-east-1.amazonaws.com', 'sts.aws-global.api.aws', 'sts.api.aws'],
    ...['vpce-0a1b.sts.us-east-1.vpce.amazonaws.com', 'sts.us-iso-east-1.c2s.ic.gov', 'sts.amazonaws.com.cn'],
    ...['sts.cn-north-1.amazonaws.com', 'sts.us-east-1.amazonaws.com.cn', 'amazonaws.com', '', '__proto__', 'size'],
  ])('and never by anything else, such as %j', (host) => {
    expect(findEndpoint(host)).toBeUndefined()
  })
})
