/** Attacks that lead the broker to another host than STS: AWS-23 to AWS-30 of the catalogue. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { withHeader } from '../../providers/aws/stand-in/signed-request.ts'
import { expectRefusedUnasked, expectTaken } from '../support/aws-answers.ts'
import { type AwsScene, LONG_AUDIENCE, openAwsScene } from '../support/aws-scene.ts'

const HOST = 'sts.us-east-1.amazonaws.com'
const ACTION = 'Action=GetCallerIdentity&Version=2011-06-15'

let scene: AwsScene

/** A broker for each group of tests, as a broker records no more than a hundred refusals of a second one by one. */
function openBeforeAll(): void {
  beforeAll(async () => {
    scene = await openAwsScene()
  })
  afterAll(() => scene.close())
}

/** Refuses a host however it is told: signed and all, in the URL alone, and in the header alone. */
async function expectHostRefused(host: string): Promise<void> {
  const genuine = scene.sign()
  await expectRefusedUnasked(scene, scene.sign({ host }), 'proof_malformed')
  await expectRefusedUnasked(scene, { ...genuine, url: `https://${host}/` }, 'proof_malformed')
  await expectRefusedUnasked(scene, withHeader(genuine, 'host', host), 'proof_malformed')
}

const OTHER_HOSTS = [
  'sts.amazonaws.com.evil.example',
  'sts.us-east-1.amazonaws.com.evil.example',
  'evil.example/sts.us-east-1.amazonaws.com',
  'evil.example?sts.us-east-1.amazonaws.com',
  'stsXamazonaws.com',
  'stsxus-east-1xamazonaws.com',
  'sts-us-east-1.amazonaws.com',
  'evilsts.us-east-1.amazonaws.com',
  'evil.sts.us-east-1.amazonaws.com',
  'sts.us-east-1.amazonaws.co',
  'sts.us-east-1.amazonaws.com.cn',
  'sts.us-east-1.amazonaws.eu',
  'sts.s3.amazonaws.com',
  'sts.s3.us-east-1.amazonaws.com',
  'sts.execute-api.amazonaws.com',
  'iam.amazonaws.com',
  'sts.mars-east-1.amazonaws.com',
  'sts.us-east-9.amazonaws.com',
  'sts..amazonaws.com',
  'localhost',
  '',
]

const ADDRESSES = [
  '127.0.0.1',
  '2130706433',
  '0x7f000001',
  '0177.0.0.1',
  '127.1',
  '[::1]',
  '[::ffff:127.0.0.1]',
  '169.254.169.254',
  'fd00:ec2::254',
]

/** Anybody has one. The broker’s own is reached by STS’s name, with private DNS. */
const INTERFACE_ENDPOINTS = [
  'vpce-0123456789abcdef0-abcdefgh.sts.us-east-1.vpce.amazonaws.com',
  'vpce-0123456789abcdef0-abcdefgh-us-east-1a.sts.us-east-1.vpce.amazonaws.com',
  'sts.us-east-1.vpce.amazonaws.com',
  'sts.vpce.amazonaws.com',
]

describe('another host', () => {
  openBeforeAll()

  test.each(OTHER_HOSTS)('AWS-23 refuses the host %j', async (host) => {
    await expectHostRefused(host)
  })

  test('AWS-23 takes the host of every region that is trusted, and asks it by its name', async () => {
    for (const host of [HOST, 'sts.eu-west-1.amazonaws.com', 'sts.ap-southeast-7.amazonaws.com']) {
      await expectTaken(scene, scene.sign({ host }))
      expect(scene.aws.requests.at(-1)?.headers.host).toBe(host)
    }
  })
})

describe('an address, or a private name', () => {
  openBeforeAll()

  test.each(ADDRESSES)('AWS-27 refuses the host %j', async (host) => {
    await expectHostRefused(host)
  })

  test.each(INTERFACE_ENDPOINTS)('AWS-30 refuses the host %j', async (host) => {
    await expectHostRefused(host)
  })

  test('AWS-27 AWS-30 takes the name that DNS gives whatever address', async () => {
    await expectTaken(scene, scene.sign({ host: HOST }))
  })
})

/** Spellings that URL parsers make the real host of. */
const CHARACTERS = [
  'sts。us-east-1。amazonaws。com',
  'sts．us-east-1．amazonaws．com',
  'ｓｔｓ.us-east-1.amazonaws.com',
  'ſts.us-east-1.amazonaws.com',
  'sts.us-east-1.amazonaws.ⓒom',
  'sts.us-east-1.amazonaws.com\u00ad',
  'sts.us\u2060-east-1.amazonaws.com',
  'sts.us-east-1.аmazonaws.com',
  'sts%2eus-east-1%2eamazonaws%2ecom',
  'sts.us-east-1.%61mazonaws.com',
  'sts.us-\teast-1.amazonaws.com',
  'sts.us-\neast-1.amazonaws.com',
  'sts.us-east-1.amazonaws.com\n',
  ' sts.us-east-1.amazonaws.com',
  'sts.us-east-1.amazonaws.com ',
]

/** Authorities in which the real host stands. */
const AUTHORITIES = [
  'sts.us-east-1.amazonaws.com:8443',
  'sts.us-east-1.amazonaws.com:443',
  'sts.us-east-1.amazonaws.com:',
  'sts.us-east-1.amazonaws.com.',
  'STS.us-east-1.amazonaws.com',
  'sts.US-EAST-1.amazonaws.com',
  'sts.us-east-1.amazonaws.COM',
  'user@sts.us-east-1.amazonaws.com',
  'user:password@sts.us-east-1.amazonaws.com',
  'sts.us-east-1.amazonaws.com@evil.example',
  'sts.us-east-1.amazonaws.com%40evil.example',
  'sts.us-east-1.amazonaws.com#@evil.example',
  'sts.us-east-1.amazonaws.com\\@evil.example',
]

describe('another spelling of the host', () => {
  openBeforeAll()

  test.each(CHARACTERS)('AWS-25 refuses the host %j', async (host) => {
    await expectHostRefused(host)
  })

  test.each(AUTHORITIES)('AWS-26 refuses the host %j', async (host) => {
    await expectHostRefused(host)
  })

  test('AWS-25 AWS-26 takes the one spelling', async () => {
    await expectTaken(scene, scene.sign({ host: HOST }))
  })
})

const URLS: readonly unknown[] = [
  `http://${HOST}/`,
  `HTTPS://${HOST}/`,
  `https:/${HOST}/`,
  `https:${HOST}/`,
  `https:\\\\${HOST}\\`,
  `//${HOST}/`,
  `${HOST}/`,
  `file://${HOST}/`,
  ` https://${HOST}/`,
  `https://${HOST}/ `,
  `https://${HOST}/\n`,
  `https://${HOST}`,
  `https://${HOST}//`,
  `https://${HOST}/?`,
  `https://${HOST}/#`,
  `https://${HOST}/#fragment`,
  `https://${HOST}/%2e%2e/`,
  `https://${HOST}/../`,
  `https://${HOST}/./`,
  `https://${HOST}/%2f`,
  `https://${HOST}/admin`,
  `https://${HOST}/;x`,
  `https://${HOST}\\`,
  `https://${HOST}/${'x'.repeat(4_096)}`,
  `https://${HOST}/?${ACTION}#x`,
  `https://${HOST}/?${ACTION}&`,
  `https://${HOST}/??${ACTION}`,
  `https://${HOST}//?${ACTION}`,
  `https://evil.example/?https://${HOST}/`,
  '',
  '/',
  null,
  undefined,
  42,
  [`https://${HOST}/`],
  { href: `https://${HOST}/` },
]

/** What stands where the region does, in the host, in the header and in the scope. */
const REGIONS = [
  'us-east-1.evil.example#',
  'us-east-1.evil.example/',
  'us-east-1/../',
  'us-east-1?',
  'us-east-1%00',
  'us-east-1\n',
  'us-east-1\u0000',
  'us-east-1\r\nHost: evil.example',
  'us-east-1@evil.example',
  'us-east-1:80',
  '',
  '.',
  '..',
  '-',
  '*',
  'us-east-1.us-east-1',
  'us_east_1',
  'us-east-１',
  'x'.repeat(64),
]

describe('another URL', () => {
  openBeforeAll()

  test.each(URLS)('AWS-26 refuses the URL %j', async (url) => {
    await expectRefusedUnasked(scene, { ...scene.sign(), url }, 'proof_malformed')
  })

  test.each(REGIONS)('AWS-29 refuses the region %j', async (region) => {
    const host = `sts.${region}.amazonaws.com`

    await expectRefusedUnasked(scene, scene.sign({ host, region }), 'proof_malformed')
    await expectRefusedUnasked(scene, scene.sign({ region }), 'proof_malformed')
  })

  test('AWS-26 AWS-29 takes Google’s URL with its slash and without', async () => {
    const parameters = { audience: LONG_AUDIENCE }
    const slashless = scene.sign({ shape: 'google' })
    const slashed = { ...scene.sign({ shape: 'google' }), url: `https://${HOST}/?${ACTION}` }

    await expectTaken(scene, slashless, parameters)
    await expectTaken(scene, slashed, parameters)
    expect(slashless.url).toBe(`https://${HOST}?${ACTION}`)
  })
})
