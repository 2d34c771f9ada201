/**
 * Every host at which AWS's Security Token Service answers, and nothing else: a closed table, so that no host is ever built from
 * what a caller sent. A pattern would let `sts.s3.amazonaws.com` pass, which is anybody's bucket named "sts".
 *
 * Regions from AWS's own partition data as botocore 1.44.5 ships it, FIPS regions from the IAM User Guide; read on 2026-11-24.
 * This folder's README says how the table is refreshed, and a test compares it with the data of the installed AWS SDK.
 */

/** AWS's partitions: worlds of their own, with their own accounts and their own STS. */
export const PARTITIONS = ['aws', 'aws-cn', 'aws-us-gov', 'aws-eusc'] as const

export type Partition = (typeof PARTITIONS)[number]

/** What kind of STS host a trusted issuer may take proofs for. */
export const ENDPOINT_KINDS = ['regional', 'global', 'fips', 'dualstack', 'fips_dualstack'] as const

export type EndpointKind = (typeof ENDPOINT_KINDS)[number]

/** One host of STS. */
export interface StsEndpoint {
  readonly host: string
  readonly partition: Partition
  /** The region that a request to it must be signed for. */
  readonly region: string
  /** A host of a region that knows nothing but FIPS is both. */
  readonly kinds: readonly EndpointKind[]
}

interface PartitionFacts {
  readonly suffix: string
  readonly dualStackSuffix: string
  readonly regions: readonly string[]
  /** Regions with a FIPS host of its own. */
  readonly fipsRegions: readonly string[]
  /** Whether the regional hosts are FIPS hosts already. */
  readonly isFipsThroughout?: boolean
  readonly global?: { readonly host: string; readonly region: string }
}

const FACTS: Readonly<Record<Partition, PartitionFacts>> = {
  aws: {
    suffix: 'amazonaws.com',
    dualStackSuffix: 'api.aws',
    regions: [
      ...['af-south-1', 'ap-east-1', 'ap-east-2', 'ap-northeast-1', 'ap-northeast-2', 'ap-northeast-3', 'ap-south-1'],
      ...['ap-south-2', 'ap-southeast-1', 'ap-southeast-2', 'ap-southeast-3', 'ap-southeast-4', 'ap-southeast-5'],
      ...['ap-southeast-6', 'ap-southeast-7', 'ca-central-1', 'ca-west-1', 'eu-central-1', 'eu-central-2'],
      ...['eu-north-1', 'eu-south-1', 'eu-south-2', 'eu-west-1', 'eu-west-2', 'eu-west-3', 'il-central-1'],
      ...['me-central-1', 'me-south-1', 'me-west-1', 'mx-central-1', 'sa-east-1', 'sa-west-1'],
      ...['us-east-1', 'us-east-2', 'us-west-1', 'us-west-2'],
    ],
    fipsRegions: ['ca-central-1', 'ca-west-1', 'us-east-1', 'us-east-2', 'us-west-1', 'us-west-2'],
    global: { host: 'sts.amazonaws.com', region: 'us-east-1' },
  },
  'aws-cn': {
    suffix: 'amazonaws.com.cn',
    dualStackSuffix: 'api.amazonwebservices.com.cn',
    regions: ['cn-north-1', 'cn-northwest-1'],
    fipsRegions: [],
  },
  'aws-us-gov': {
    suffix: 'amazonaws.com',
    dualStackSuffix: 'api.aws',
    regions: ['us-gov-east-1', 'us-gov-west-1'],
    fipsRegions: [],
    isFipsThroughout: true,
  },
  'aws-eusc': {
    suffix: 'amazonaws.eu',
    dualStackSuffix: 'api.amazonwebservices.eu',
    regions: ['eusc-de-east-1'],
    fipsRegions: [],
  },
}

const ENDPOINTS: ReadonlyMap<string, StsEndpoint> = new Map(
  PARTITIONS.flatMap((partition) => endpointsOf(partition)).map((endpoint) => [endpoint.host, endpoint]),
)

/** Gives the STS endpoint with exactly this host, in the spelling of the table; undefined for any other text. */
export function findEndpoint(host: string): StsEndpoint | undefined {
  return ENDPOINTS.get(host)
}

/** Gives every STS endpoint of a partition. */
export function endpointsOf(partition: Partition): readonly StsEndpoint[] {
  const { suffix, dualStackSuffix, regions, fipsRegions, isFipsThroughout = false, global } = FACTS[partition]
  const plain: readonly EndpointKind[] = isFipsThroughout ? ['regional', 'fips'] : ['regional']
  const dual: readonly EndpointKind[] = isFipsThroughout ? ['dualstack', 'fips_dualstack'] : ['dualstack']
  return [
    ...(global === undefined ? [] : [{ ...global, partition, kinds: ['global'] as const }]),
    ...regions.flatMap((region) => [
      { host: `sts.${region}.${suffix}`, partition, region, kinds: plain },
      { host: `sts.${region}.${dualStackSuffix}`, partition, region, kinds: dual },
    ]),
    ...fipsRegions.flatMap((region) => [
      { host: `sts-fips.${region}.${suffix}`, partition, region, kinds: ['fips'] as const },
      { host: `sts-fips.${region}.${dualStackSuffix}`, partition, region, kinds: ['fips_dualstack'] as const },
    ]),
  ]
}

/** Gives the regions of a partition. */
export function regionsOf(partition: Partition): readonly string[] {
  return FACTS[partition].regions
}
