/** What stands in an answer of STS: one JSON object, three texts that agree with each other, and nothing beside them. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { StandInAnswer } from '../../providers/kit/stand-in-server.ts'
import { expectIssued, expectProofRefused } from '../support/answers.ts'
import {
  ACCOUNT,
  type AwsScene,
  awsDocumentFor,
  bindRole,
  openAwsScene,
  ROLE,
  SESSION_NAME,
} from '../support/aws-scene.ts'
import { BROKER } from '../support/document.ts'
import {
  askOnce,
  CALLER,
  expectNoIdentity,
  failWith,
  identify,
  identityOf,
  succeedWith,
} from '../support/sts-answers.ts'

const ZERO_ACCOUNT = '012345678901'
const RIGHT = JSON.stringify(identityOf())

let scene: AwsScene

/** A broker for each group of tests, as one that refuses often does not record every refusal. */
function openBeforeAll(): void {
  beforeAll(async () => {
    scene = await openAwsScene({
      accounts: { [ZERO_ACCOUNT]: {} },
      document: (aws) =>
        awsDocumentFor(
          aws,
          {},
          {
            bindings: {
              'payments-api': bindRole(ACCOUNT, ROLE, 'payments/api'),
              zero: bindRole(ZERO_ACCOUNT, ROLE, 'payments/api'),
            },
          },
        ),
    })
  })
  afterAll(() => scene.close())
}

describe('a body that is not one JSON object', () => {
  openBeforeAll()

  const BODIES = [
    RIGHT + RIGHT,
    `${RIGHT}\n${RIGHT}`,
    `${RIGHT},${RIGHT}`,
    `[${RIGHT}]`,
    `[${RIGHT},${RIGHT}]`,
    `${RIGHT}x`,
    `${RIGHT}\u0000`,
    `${RIGHT};`,
    `${RIGHT}}`,
    `${RIGHT}//`,
    `${RIGHT}<!-- -->`,
    `\uFEFF${RIGHT}`,
    `\u00a0${RIGHT}`,
    `)]}',\n${RIGHT}`,
    `/**/${RIGHT}`,
    `callback(${RIGHT})`,
    `data: ${RIGHT}\n\n`,
    RIGHT.replace('}}}', ',}}}'),
    RIGHT.replaceAll('"', "'"),
    RIGHT.replace('"Account"', 'Account'),
    RIGHT.replace('"Account":', '"Account" '),
    '',
    ' ',
    'null',
    'true',
    '0',
    '""',
    '[]',
    '{}',
    'NaN',
  ]

  test.each(BODIES)('STS-07 is no identity: %j', async (body) => {
    await expectNoIdentity(scene, succeedWith(body))
  })

  test('STS-07 a truncated answer is no identity, wherever it ends', async () => {
    for (let length = 0; length < RIGHT.length; length += 7) {
      await expectNoIdentity(scene, succeedWith(RIGHT.slice(0, length)))
    }
    expectIssued(scene.broker, await askOnce(scene, succeedWith(RIGHT)))
  })
})

describe('a member that is not its text', () => {
  openBeforeAll()

  const ACCOUNTS = [
    123456789012,
    1.23456789012e11,
    null,
    true,
    [ACCOUNT],
    { Account: ACCOUNT },
    '',
    '12345678901',
    '1234567890123',
    '0123456789012',
    ' 123456789012',
    '123456789012 ',
    '123456789012\n',
    '+12345678901',
    '-12345678901',
    '1234-5678-9012',
    '123456789o12',
    '0x1cbe991a14',
    '１２３４５６７８９０１２',
    '١٢٣٤٥٦٧٨٩٠١٢',
    '*',
    '__proto__',
  ]

  test.each(ACCOUNTS)('STS-09 makes an answer none: the account %j', async (Account) => {
    await expectNoIdentity(scene, identify({ Account }))
  })

  test.each([null, 1, true, {}, [CALLER.Arn]])('STS-09 makes an answer none: the ARN or user id %j', async (value) => {
    await expectNoIdentity(scene, identify({ Arn: value }))
    await expectNoIdentity(scene, identify({ UserId: value }))
  })

  test('STS-09 an account that begins with a zero is taken, and keeps it', async () => {
    const session = scene.aws.assumeRole(scene.aws.createRole(ZERO_ACCOUNT, ROLE), SESSION_NAME)

    const reply = await scene.exchange(scene.aws.signedRequest(session, { audience: BROKER }))

    expect(expectIssued(scene.broker, reply).record).toMatchObject({
      binding: 'zero',
      attributes: { 'aws.account_id': ZERO_ACCOUNT },
    })
  })

  test('STS-09 an account without its zero is no account, as a number or as a text', async () => {
    const Arn = CALLER.Arn.replace(ACCOUNT, ZERO_ACCOUNT)

    await expectNoIdentity(scene, identify({ Arn, Account: 12345678901 }))
    await expectNoIdentity(scene, identify({ Arn, Account: '12345678901' }))
    await expectNoIdentity(
      scene,
      succeedWith(JSON.stringify(identityOf({ Arn, Account: 0 })).replace('"Account":0', `"Account":${ZERO_ACCOUNT}`)),
    )
    const { record } = expectIssued(scene.broker, await askOnce(scene, identify({ Arn, Account: ZERO_ACCOUNT })))
    expect(record).toMatchObject({ binding: 'zero', attributes: { 'aws.account_id': ZERO_ACCOUNT } })
  })
})

describe('members that contradict each other', () => {
  openBeforeAll()

  const [ID = ''] = CALLER.UserId.split(':')
  const USER_ARN = `arn:aws:iam::${ACCOUNT}:user/${ROLE}`

  const CONTRADICTIONS: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ['an account other than that of the ARN', { Account: '999999999999' }],
    ['an account of ours with the ARN of another', { Arn: CALLER.Arn.replace(ACCOUNT, '999999999999') }],
    ['another of our accounts', { Account: ZERO_ACCOUNT }],
    ['another session', { UserId: `${ID}:another-session` }],
    ['another session in the ARN', { Arn: CALLER.Arn.replace(SESSION_NAME, 'another-session') }],
    ['a session in another case', { UserId: `${ID}:${SESSION_NAME.toUpperCase()}` }],
    ['the beginning of the session', { UserId: `${ID}:${SESSION_NAME.slice(0, -1)}` }],
    ['more than the session', { UserId: `${CALLER.UserId}0` }],
    ['a part behind the session', { UserId: `${CALLER.UserId}:x` }],
    ['a part before the session', { UserId: `${ID}:x:${SESSION_NAME}` }],
    ['an empty part', { UserId: `${ID}::${SESSION_NAME}` }],
    ['no session', { UserId: ID }],
    ['an empty session', { UserId: `${ID}:` }],
    ['no id', { UserId: `:${SESSION_NAME}` }],
    ['the id of a user', { UserId: `AIDAQ3EGTESTEXAMPLE77:${SESSION_NAME}` }],
    ['the id of a user, alone', { UserId: 'AIDAQ3EGTESTEXAMPLE77' }],
    ['the id of a group', { UserId: `AGPAQ3EGTESTEXAMPLE77:${SESSION_NAME}` }],
    ['the id of an instance profile', { UserId: `AIPAQ3EGTESTEXAMPLE77:${SESSION_NAME}` }],
    ['the id of a key', { UserId: `ASIAQ3EGTESTEXAMPLE7:${SESSION_NAME}` }],
    ['an id in lower case', { UserId: CALLER.UserId.toLowerCase() }],
    ['an id that is too short', { UserId: `AROAQ3EG:${SESSION_NAME}` }],
    ['an id with a space', { UserId: ` ${CALLER.UserId}` }],
    ['the account for an id', { UserId: `${ACCOUNT}:${SESSION_NAME}` }],
    ['the name of the role for an id', { UserId: `${ROLE}:${SESSION_NAME}` }],
    ['nothing for an id', { UserId: '' }],
    ['a user with the id of a role', { Arn: USER_ARN, UserId: ID }],
    ['a user with a session', { Arn: USER_ARN, UserId: `AIDAQ3EGTESTEXAMPLE77:${SESSION_NAME}` }],
    ['a user with the account for an id', { Arn: USER_ARN, UserId: ACCOUNT }],
    ['a user with nothing for an id', { Arn: USER_ARN, UserId: '' }],
  ]

  test.each(CONTRADICTIONS)('STS-10 make an answer none: %s', async (_, members) => {
    await expectNoIdentity(scene, identify(members))
  })

  test('STS-10 the same members in agreement are an identity', async () => {
    const Arn = CALLER.Arn.replace(SESSION_NAME, 'another-session')

    expectIssued(scene.broker, await askOnce(scene, identify({ Arn, UserId: `${ID}:another-session` })))
  })
})

describe('an error beside a success', () => {
  openBeforeAll()

  const ERROR = { Code: 'SignatureDoesNotMatch', Message: 'no', Type: 'Sender' }
  const AMBIGUOUS: readonly (readonly [string, StandInAnswer])[] = [
    ['beside the response', succeedWith(identityOf({}, {}, { Error: ERROR }))],
    ['before the response', succeedWith({ Error: ERROR, ...identityOf() })],
    ['beside the result', succeedWith(identityOf({}, { Error: ERROR }))],
    ['in the result', succeedWith(identityOf({ Error: ERROR }))],
    ['without content', succeedWith(identityOf({}, {}, { Error: null }))],
    ['in another case', succeedWith(identityOf({}, {}, { error: 'access_denied' }))],
    ['as other services write it', succeedWith(identityOf({}, {}, { __type: 'AccessDeniedException' }))],
    ['with an id', succeedWith(identityOf({}, {}, { RequestId: 'c025e1ba-c36b-4078-9407-fdd02eaee5aa' }))],
    ['in the place of metadata', succeedWith(identityOf({}, { ResponseMetadata: undefined, Error: ERROR }))],
    ['alone', succeedWith({ Error: ERROR })],
    ['of the right shape, with the status of a success', { ...failWith(403, 'SignatureDoesNotMatch'), status: 200 }],
  ]

  test.each(AMBIGUOUS)('STS-17 is no identity, and no refusal: %s', async (_, answer) => {
    await expectNoIdentity(scene, answer)
  })

  test.each([201, 202, 203, 206, 226, 299, 400, 401, 403, 404, 405, 409, 418, 500, 502, 503])(
    'STS-17 a success with status %i is no identity',
    async (status) => {
      await expectNoIdentity(scene, { ...identify(), status }, 'upstream_status')
    },
  )

  test.each([204, 205])('STS-17 a success with status %i, and so without a body, is no identity', async (status) => {
    await expectNoIdentity(scene, { ...identify(), status }, 'upstream_status')
  })

  test('STS-17 a refusal beside a success is a refusal where the status says so', async () => {
    const both = succeedWith(identityOf({}, {}, { Error: ERROR }))

    expectProofRefused(scene.broker, await askOnce(scene, { ...both, status: 403 }), 'signature_invalid')
  })
})
