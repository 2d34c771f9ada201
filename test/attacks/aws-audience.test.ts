/** Attacks with requests that were signed for somebody else, or for nobody: AWS-01 to AWS-03 of the catalogue. */

import { afterAll, beforeAll, describe, onTestFinished, test } from 'vitest'
import { withHeader } from '../../providers/aws/stand-in/signed-request.ts'
import type { SigningWishNow } from '../../providers/aws/stand-in/stand-in.ts'
import { expectProofRefused } from '../support/answers.ts'
import { expectRefusedBySts, expectRefusedUnasked, expectTaken } from '../support/aws-answers.ts'
import {
  ACCOUNT,
  type AwsScene,
  awsDocumentFor,
  bindRole,
  LONG_AUDIENCE,
  openAwsScene,
  ROLE,
  trustAccounts,
} from '../support/aws-scene.ts'
import { BROKER } from '../support/document.ts'

const ACTION = 'Action=GetCallerIdentity&Version=2011-06-15'
const OURS = 'x-chancery-audience'
const GOOGLES = 'x-goog-cloud-target-resource'

let scene: AwsScene
beforeAll(async () => {
  scene = await openAwsScene()
})
afterAll(() => scene.close())

describe('no audience', () => {
  test('AWS-01 refuses a genuine request that names no audience, and takes the same with one', async () => {
    await expectRefusedUnasked(scene, scene.sign({ without: [OURS] }), 'audience_not_signed')
    await expectRefusedUnasked(scene, scene.sign({ shape: 'google', without: [GOOGLES] }), 'audience_not_signed')

    await expectTaken(scene, scene.sign())
  })

  const ELSEWHERE: readonly (readonly [string, Partial<SigningWishNow>])[] = [
    ['in the header of Vault', { audienceHeader: 'X-Vault-AWS-IAM-Server-ID' }],
    ['in the header of aws-iam-authenticator', { audienceHeader: 'x-k8s-aws-id' }],
    ['in the header of Teleport', { audienceHeader: 'x-teleport-challenge' }],
    ['in a header of AWS’s own', { audienceHeader: 'x-amz-audience' }],
    ['in a header whose name is longer than ours', { audienceHeader: `${OURS}s` }],
    ['in a header whose name ours begins with', { audienceHeader: 'x-chancery' }],
    ['in a header with an underscore', { audienceHeader: 'x_chancery_audience' }],
    ['in the query', { without: [OURS], query: `${OURS}=${encodeURIComponent(BROKER)}` }],
    ['in Google’s query', { shape: 'google', without: [GOOGLES], query: `${ACTION}&${GOOGLES}=${LONG_AUDIENCE}` }],
    ['in the body', { without: [OURS], body: `${ACTION}&${OURS}=${encodeURIComponent(BROKER)}` }],
  ]

  test.each(ELSEWHERE)('AWS-01 takes no audience that is signed %s', async (_, wish) => {
    await expectRefusedUnasked(scene, scene.sign({ audience: BROKER, ...wish }), 'proof_malformed')
  })

  test('AWS-01 takes no audience from a member beside the headers', async () => {
    const unaddressed = scene.sign({ without: [OURS] })

    await expectRefusedUnasked(scene, { ...unaddressed, audience: BROKER }, 'proof_malformed')
  })
})

describe('an audience that is not signed', () => {
  test.each(['chancery', 'google'] as const)('AWS-02 refuses the right audience in the shape of %s', async (shape) => {
    const parameters = shape === 'google' ? { audience: LONG_AUDIENCE } : {}
    const unsigned = scene.sign({ shape, unsigned: [OURS, GOOGLES] })

    await expectRefusedUnasked(scene, unsigned, 'audience_not_signed', parameters)
    await expectTaken(scene, scene.sign({ shape }), parameters)
  })

  test('AWS-02 refuses one that was added to another’s request', async () => {
    const captured = scene.sign({ without: [OURS] })
    const added = { ...captured, headers: [...captured.headers, { key: OURS, value: BROKER }] }

    await expectRefusedUnasked(scene, added, 'audience_not_signed')
  })

  test('AWS-02 has STS refuse one that is only said to be signed', async () => {
    const captured = scene.sign({ unsigned: [OURS] })
    const authorization = captured.headers.find(({ key }) => key === 'authorization')?.value ?? ''
    const claimed = authorization.replace('x-amz-security-token,', `x-amz-security-token;${OURS},`)

    await expectRefusedBySts(scene, withHeader(captured, 'authorization', claimed))
  })

  test('AWS-02 goes by the header that is signed where the other one is not', async () => {
    const forAnother = scene.sign({
      audience: 'https://vault.example',
      headers: { [GOOGLES]: LONG_AUDIENCE },
      unsigned: [GOOGLES],
    })
    const forGoogle = scene.sign({
      shape: 'google',
      audience: 'https://iam.googleapis.com/pool',
      headers: { [OURS]: BROKER },
      unsigned: [OURS],
    })

    await expectRefusedUnasked(scene, forAnother, 'audience_mismatch', { audience: LONG_AUDIENCE })
    await expectRefusedUnasked(scene, forGoogle, 'audience_mismatch', { audience: LONG_AUDIENCE })
  })

  test('AWS-02 refuses two audiences, both signed', async () => {
    const both = scene.sign({ headers: { [GOOGLES]: LONG_AUDIENCE } })

    await expectRefusedUnasked(scene, both, 'audience_not_single', { audience: LONG_AUDIENCE })
  })
})

/** What else a header could say that a careless comparison would take for us. */
const NOT_US = [
  'https://vault.example',
  'broker.example',
  'https://broker.example/',
  'https://broker.example:443',
  'http://broker.example',
  'HTTPS://broker.example',
  'https://Broker.example',
  'https://broker.example.evil.example',
  'https://evil.example/https://broker.example',
  'https://broker.example,https://vault.example',
  'https://vault.example,https://broker.example',
  'https://broker.example https://vault.example',
  'https%3A%2F%2Fbroker.example',
  'https://broker.exampl',
  'https://broker.*',
  '*',
  LONG_AUDIENCE,
  'ledger',
]

describe('an audience that is another’s', () => {
  test.each(NOT_US)('AWS-03 refuses a request that was signed for %s', async (audience) => {
    await expectRefusedUnasked(scene, scene.sign({ audience }), 'audience_mismatch')
  })

  test('AWS-03 has STS refuse a request that was signed for another and renamed', async () => {
    const captured = scene.sign({ audience: 'https://vault.example' })

    await expectRefusedUnasked(scene, captured, 'audience_mismatch')
    await expectRefusedBySts(scene, withHeader(captured, OURS, BROKER))
    await expectTaken(scene, scene.sign())
  })

  test.each([
    ['the header of Google in our shape', { audienceHeader: GOOGLES, audience: BROKER }],
    ['our header in the shape of Google', { shape: 'google' as const, audienceHeader: OURS, audience: LONG_AUDIENCE }],
  ])('AWS-03 takes no word of the one header in the other: %s', async (_, wish) => {
    await expectRefusedUnasked(scene, scene.sign(wish), 'audience_mismatch', { audience: LONG_AUDIENCE })
  })

  test('AWS-03 reads each header alike in both shapes', async () => {
    await expectTaken(scene, scene.sign({ audienceHeader: GOOGLES, audience: LONG_AUDIENCE }), {
      audience: LONG_AUDIENCE,
    })
    await expectTaken(scene, scene.sign({ shape: 'google', audienceHeader: OURS, audience: BROKER }))
  })

  test('AWS-03 refuses one that was signed for the audience of another trusted issuer', async () => {
    const own = await openAwsScene({
      accounts: { '210987654321': {} },
      document: (aws) =>
        awsDocumentFor(
          aws,
          {},
          {
            trusted_issuers: {
              'aws-prod': trustAccounts(aws, {
                accounts: { [ACCOUNT]: {} },
                proof_audiences: ['https://prod.example'],
              }),
              'aws-test': trustAccounts(aws, {
                accounts: { '210987654321': {} },
                proof_audiences: ['https://test.example'],
              }),
            },
            bindings: { 'payments-api': bindRole(ACCOUNT, ROLE, 'payments/api') },
          },
        ),
    })
    onTestFinished(() => own.close())

    await expectTaken(own, own.sign({ audience: 'https://prod.example' }))
    const reply = await own.exchange(own.sign({ audience: 'https://test.example' }))
    expectProofRefused(own.broker, reply, 'audience_mismatch')
    await expectRefusedUnasked(own, own.sign({ audience: BROKER }), 'audience_mismatch')
  })
})
