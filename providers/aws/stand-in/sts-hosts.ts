/** The names of STS, and which region each stands for. Written for itself: the verifier's table must not prove itself right. */

/** Where a request arrived. */
export interface StsEndpoint {
  readonly partition: string
  /** The region that a signature must be scoped to. */
  readonly region: string
  readonly isGlobal: boolean
}

interface Partition {
  readonly name: string
  readonly regions: RegExp
  readonly suffixes: readonly string[]
}

/** @see {@link https://docs.aws.amazon.com/general/latest/gr/sts.html AWS STS endpoints} */
const PARTITIONS: readonly Partition[] = [
  { name: 'aws-cn', regions: /^cn-\w+-\d+$/, suffixes: ['amazonaws.com.cn', 'api.amazonwebservices.com.cn'] },
  { name: 'aws-us-gov', regions: /^us-gov-\w+-\d+$/, suffixes: ['amazonaws.com', 'api.aws'] },
  { name: 'aws-eusc', regions: /^eusc-\w+-\w+-\d+$/, suffixes: ['amazonaws.eu', 'api.amazonwebservices.eu'] },
  { name: 'aws-iso', regions: /^us-iso-\w+-\d+$/, suffixes: ['c2s.ic.gov', 'api.aws.ic.gov'] },
  { name: 'aws-iso-b', regions: /^us-isob-\w+-\d+$/, suffixes: ['sc2s.sgov.gov', 'api.aws.scloud'] },
  { name: 'aws-iso-e', regions: /^eu-isoe-\w+-\d+$/, suffixes: ['cloud.adc-e.uk', 'api.cloud-aws.adc-e.uk'] },
  { name: 'aws-iso-f', regions: /^us-isof-\w+-\d+$/, suffixes: ['csp.hci.ic.gov', 'api.aws.hci.ic.gov'] },
  { name: 'aws', regions: /^(us|eu|ap|sa|ca|me|af|il|mx)-\w+-\d+$/, suffixes: ['amazonaws.com', 'api.aws'] },
]

/** Gives the partition of a region. Throws for one of no partition. */
export function partitionOf(region: string): string {
  const partition = PARTITIONS.find(({ regions }) => regions.test(region))
  if (partition === undefined) throw new Error(`no partition has the region ${region}`)
  return partition.name
}

/** Gives what a `Host` stands for, or undefined for one that is no name of STS. */
export function endpointOf(host: string): StsEndpoint | undefined {
  if (host === 'sts.amazonaws.com') return { partition: 'aws', region: 'us-east-1', isGlobal: true }
  const [, region, suffix] = /^sts(?:-fips)?\.([a-z0-9-]+)\.(.+)$/.exec(host) ?? []
  if (region === undefined || suffix === undefined) return undefined
  const partition = PARTITIONS.find(({ regions, suffixes }) => regions.test(region) && suffixes.includes(suffix))
  return partition === undefined ? undefined : { partition: partition.name, region, isGlobal: false }
}
