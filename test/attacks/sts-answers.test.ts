/** Answers of STS with status 200 that are not exactly right: none is an identity, and none counts against the caller. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WRONG_ANSWERS, wrongAnswer } from '../../providers/aws/stand-in/sts-answers.ts'
import type { StandInAnswer } from '../../providers/kit/stand-in-server.ts'
import { expectIssued } from '../support/answers.ts'
import { type AwsScene, openAwsScene } from '../support/aws-scene.ts'
import {
  askOnce,
  CALLER,
  expectNoIdentity,
  identify,
  identityOf,
  JSON_TYPE,
  succeedWith,
} from '../support/sts-answers.ts'

let scene: AwsScene

/** A broker for each group of tests, as one that refuses often does not record every refusal. */
function openBeforeAll(): void {
  beforeAll(async () => {
    scene = await openAwsScene()
  })
  afterAll(() => scene.close())
}

const CLAIMED = { account: CALLER.Account, arn: CALLER.Arn, userId: CALLER.UserId }
const XML = `<Arn>${CALLER.Arn}</Arn><UserId>${CALLER.UserId}</UserId><Account>${CALLER.Account}</Account>`
const XML_ANSWER = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>${XML}</GetCallerIdentityResult></GetCallerIdentityResponse>`
const RIGHT = JSON.stringify(identityOf())
const RESULT = 'GetCallerIdentityResult'
const RESPONSE = 'GetCallerIdentityResponse'

/** What a test is called by, and the answer. */
type Case = readonly [name: string, answer: StandInAnswer]

describe('every wrong answer of the stand-in', () => {
  openBeforeAll()

  test.each(WRONG_ANSWERS)('STS-01 STS-02 STS-03 STS-05 STS-06 STS-17 is no identity: %s', async (name) => {
    const reason = name === 'flood of numeric entities' ? 'upstream_too_large' : 'upstream_malformed'

    await expectNoIdentity(scene, wrongAnswer(name, CLAIMED), reason)
  })
})

describe('the true answer', () => {
  openBeforeAll()

  const TYPES = [
    'application/json',
    'application/json; charset=utf-8',
    'application/json;charset=UTF-8',
    'Application/JSON',
  ]

  test.each(TYPES)('STS-01 STS-03 is an identity, declared as %s', async (type) => {
    const { record } = expectIssued(
      scene.broker,
      await askOnce(scene, { ...identify(), headers: { 'content-type': type } }),
    )

    expect(record).toMatchObject({ identity: 'payments/api', subject: CALLER.Arn, trusted_issuer: 'aws-prod' })
  })

  test('STS-01 STS-17 is an identity with its members in any order, and with space between them', async () => {
    const { Account, Arn, UserId } = CALLER
    const reordered = { [RESPONSE]: { ResponseMetadata: {}, [RESULT]: { UserId, Arn, Account } } }

    expectIssued(scene.broker, await askOnce(scene, succeedWith(reordered)))
    expectIssued(scene.broker, await askOnce(scene, succeedWith(`\r\n\t ${JSON.stringify(reordered, undefined, 4)}\n`)))
  })
})

const WITHIN_TEXTS: readonly Case[] = [
  ['a message', succeedWith({ message: XML_ANSWER })],
  ['a message beside a result of another kind', succeedWith({ [RESPONSE]: { message: XML_ANSWER } })],
  ['the response', succeedWith({ [RESPONSE]: XML_ANSWER })],
  ['the result', succeedWith(identityOf({}, { [RESULT]: XML_ANSWER }))],
  ['the result, as JSON', succeedWith(identityOf({}, { [RESULT]: JSON.stringify(CALLER) }))],
  ['the response, as JSON', succeedWith({ [RESPONSE]: JSON.stringify({ [RESULT]: CALLER }) })],
  ['the whole, as JSON', succeedWith(JSON.stringify(RIGHT))],
  ['the name of a member', succeedWith({ [XML_ANSWER]: '' })],
  [
    'a subject that STS repeats',
    succeedWith({ AssumeRoleWithWebIdentityResponse: { SubjectFromWebIdentityToken: XML_ANSWER } }),
  ],
  ['an error that STS repeats', succeedWith({ Error: { Code: 'InvalidAction', Message: XML_ANSWER } })],
  ['the account, beside the true one', succeedWith(identityOf({ Account: `${CALLER.Account}${XML}` }))],
]

describe('an identity inside of a text', () => {
  openBeforeAll()

  test.each(WITHIN_TEXTS)('STS-01 is none: in %s', async (_, answer) => {
    await expectNoIdentity(scene, answer)
  })
})

const OTHER_ACTIONS = [
  'AssumeRoleWithWebIdentity',
  'AssumeRole',
  'GetSessionToken',
  'GetFederationToken',
  'GetAccessKeyInfo',
]
const OTHER_NAMES: readonly Case[] = [
  [
    'another result in the right response',
    succeedWith({ [RESPONSE]: { AssumeRoleResult: CALLER, ResponseMetadata: {} } }),
  ],
  [
    'the right result in another response',
    succeedWith({ AssumeRoleResponse: { [RESULT]: CALLER, ResponseMetadata: {} } }),
  ],
  ['two results', succeedWith(identityOf({}, { AssumeRoleResult: CALLER }))],
  ['two responses', succeedWith(identityOf({}, {}, { AssumeRoleResponse: {} }))],
  [
    'a response in another case',
    succeedWith({ getCallerIdentityResponse: { [RESULT]: CALLER, ResponseMetadata: {} } }),
  ],
  ['a result in another case', succeedWith({ [RESPONSE]: { getCallerIdentityResult: CALLER, ResponseMetadata: {} } })],
  ['the result alone', succeedWith({ [RESULT]: CALLER })],
  ['the members alone', succeedWith(CALLER)],
  ['no metadata', succeedWith({ [RESPONSE]: { [RESULT]: CALLER } })],
  ['no result', succeedWith(identityOf({}, { [RESULT]: undefined }))],
  ['no members', succeedWith(identityOf({ Account: undefined, Arn: undefined, UserId: undefined }))],
]

describe('the answer of another action', () => {
  openBeforeAll()

  test.each(OTHER_ACTIONS)('STS-02 is none: %s', async (action) => {
    const content = { [`${action}Response`]: { [`${action}Result`]: CALLER, ResponseMetadata: {} } }
    await expectNoIdentity(scene, succeedWith(content))
    const xml = XML_ANSWER.replaceAll('GetCallerIdentity', action)
    await expectNoIdentity(scene, { ...succeedWith(xml), headers: { 'content-type': 'text/xml' } })
  })

  test.each(OTHER_NAMES)('STS-02 is none: %s', async (_, answer) => {
    await expectNoIdentity(scene, answer)
  })

  test('STS-02 a result with the credentials of a role beside it is none', async () => {
    const Credentials = { AccessKeyId: 'ASIAEXAMPLE', SecretAccessKey: 'x', SessionToken: 'x' }

    await expectNoIdentity(scene, succeedWith(identityOf({ Credentials })))
  })
})

const TYPES = [
  'text/html',
  'text/html; charset=utf-8',
  'text/xml',
  'application/xml',
  'text/plain',
  'text/json',
  'application/x-amz-json-1.1',
  'application/problem+json',
  'application/jsonp',
  'application/json-seq',
  'application/json; charset=utf-16',
  'application/json; charset=iso-8859-1',
  'application/json; profile="x"',
  'application/json, text/html',
  'text/html, application/json',
  'application/jso',
  'json',
  '*/*',
  '',
]

describe('another content type', () => {
  openBeforeAll()

  test.each(TYPES)('STS-03 makes of the true answer none: %j', async (type) => {
    await expectNoIdentity(scene, { ...identify(), headers: { 'content-type': type } })
  })

  test('STS-03 makes none of it where there is none at all', async () => {
    await expectNoIdentity(scene, { status: 200, body: RIGHT })
  })

  test('STS-03 does not make JSON of what is XML', async () => {
    await expectNoIdentity(scene, { status: 200, headers: JSON_TYPE, body: XML_ANSWER })
  })
})

const opened = `{"${RESPONSE}":{"${RESULT}":{`
const insert = (member: string): string => RIGHT.replace(opened, `${opened}${member},`)

const PROTOTYPES: readonly Case[] = [
  ['__proto__ in the result', succeedWith(insert('"__proto__":{"Account":"999999999999"}'))],
  ['__proto__ in the result, escaped', succeedWith(insert('"__proto\\u005f_":{"Account":"999999999999"}'))],
  ['__proto__ in the root', succeedWith(RIGHT.replace('{', '{"__proto__":{},'))],
  ['__proto__ in the metadata', succeedWith(RIGHT.replace('{"RequestId"', '{"__proto__":{"x":1},"RequestId"'))],
  ['__proto__ in place of everything', succeedWith(`{"__proto__":${RIGHT}}`)],
  [
    '__proto__ in place of the result',
    succeedWith(`{"${RESPONSE}":{"__proto__":${JSON.stringify({ [RESULT]: CALLER })},"ResponseMetadata":{}}}`),
  ],
  ['three members of other names', succeedWith(identityOf({}, { [RESULT]: { a: 1, b: 2, c: 3 } }))],
  ['constructor in the result', succeedWith(insert('"constructor":{"prototype":{"Account":"999999999999"}}'))],
  ['constructor in the root', succeedWith(identityOf({}, {}, { constructor: { prototype: CALLER } }))],
  ['prototype in the response', succeedWith(identityOf({}, { prototype: CALLER }))],
  ['toString in the result', succeedWith(identityOf({ toString: 'x' }))],
  ['an account named twice', succeedWith(insert('"Account":"999999999999"'))],
  ['an account named twice, once escaped', succeedWith(insert('"\\u0041ccount":"999999999999"'))],
  ['an ARN named twice, with one value', succeedWith(insert(`"Arn":"${CALLER.Arn}"`))],
  ['a result named twice', succeedWith(RIGHT.replace(`"${RESULT}"`, `"${RESULT}":{},"${RESULT}"`))],
]

describe('members that parsers disagree on', () => {
  openBeforeAll()

  test.each(PROTOTYPES)('STS-06 make an answer none: %s', async (_, answer) => {
    await expectNoIdentity(scene, answer)
    expect(Object.hasOwn(Object.prototype, 'Account')).toBe(false)
  })
})
