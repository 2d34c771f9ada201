/** Attacks with web-identity tokens: the AWJ rows that are about issuer, account, subject, audience and life. */

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Session } from '../../providers/aws/stand-in/sessions.ts'
import { expectIssued, expectProofRefused } from '../support/answers.ts'
import {
  ACCOUNT,
  type AwsScene,
  awsDocumentFor,
  bindRole,
  openAwsScene,
  ROLE,
  SESSION_NAME,
  trustAccounts,
} from '../support/aws-scene.ts'
import { BROKER } from '../support/document.ts'
import { AWS_CLAIMS, forgeAwsClaims, forgeToken, type Members, tokenOf } from '../support/sts-tokens.ts'

const OTHER = '210987654321'
const ISSUER = 'https://a1b2c3d4-1111-2222-3333-444455556666.tokens.sts.global.api.aws'

let scene: AwsScene

/** A broker for each group of tests, which trusts two accounts and binds a role of one of them. */
function openBeforeAll(): void {
  beforeAll(async () => {
    scene = await openAwsScene({ accounts: { [OTHER]: {} } })
  })
  afterAll(() => scene.close())
}

/** Asserts that a token is refused by a broker that has no keys yet, without being asked for any. */
async function expectRefusedCold(cold: AwsScene, token: string): Promise<void> {
  const asked = await cold.upstreamRequests(async () => {
    expectProofRefused(cold.broker, await cold.broker.exchange(token), 'issuer_not_trusted')
  })
  expect(asked).toBe(0)
}

/** A session of the role of that name in the other account. */
const theirs = (): Session => scene.aws.assumeRole(scene.aws.createRole(OTHER, ROLE), SESSION_NAME)

test.each(['RS256', 'ES384'] as const)('a genuine token gets one for its identity: %s', async (algorithm) => {
  const own = await openAwsScene({
    accounts: { [ACCOUNT]: { organisation: { id: 'o-a1b2c3d4e5', path: 'o-a1b2c3d4e5/r-ab12/' } } },
  })
  onTestFinished(() => own.close())
  const session = own.aws.assumeRole(own.role, SESSION_NAME, { tags: { team: 'payments' } })

  const reply = await own.broker.exchange(await own.aws.webIdentityToken(session, { audiences: [BROKER], algorithm }))

  expect(expectIssued(own.broker, reply).record).toMatchObject({
    identity: 'payments/api',
    trusted_issuer: 'aws-prod',
    issuer: own.aws.account(ACCOUNT).issuer,
    subject: `arn:aws:iam::${ACCOUNT}:role/${ROLE}`,
    attributes: {
      'aws.partition': 'aws',
      'aws.account_id': ACCOUNT,
      'aws.proof': 'web_identity',
      'aws.role_name': ROLE,
      'aws.role_path': '/',
      'aws.org_id': 'o-a1b2c3d4e5',
      'aws.ou_path': 'o-a1b2c3d4e5/r-ab12/',
      'aws.source_region': 'us-east-1',
      'aws.principal_tags/team': 'payments',
    },
  })
})

describe('an issuer that nobody has registered', () => {
  test('AWJ-01 is refused without being asked for its keys, whatever it signs', async () => {
    const cold = await openAwsScene()
    onTestFinished(() => cold.close())
    const { aws } = cold
    const stranger = aws.createAccount('999999999999')
    const session = aws.assumeRole(aws.createRole(stranger.id, ROLE), SESSION_NAME)

    for (const algorithm of ['RS256', 'ES384'] as const) {
      await expectRefusedCold(cold, await aws.webIdentityToken(session, { audiences: [BROKER], algorithm }))
      const wish = { session: cold.session, signer: stranger.id, algorithm }
      await expectRefusedCold(cold, await forgeToken(cold, { iss: stranger.issuer }, wish))
    }
    expectIssued(cold.broker, await cold.broker.exchange(await tokenOf(cold)))
  })

  test('AWJ-01 is refused also where its account is registered for signed requests', async () => {
    const cold = await openAwsScene({ document: (aws) => awsDocumentFor(aws, { accounts: { [ACCOUNT]: {} } }) })
    onTestFinished(() => cold.close())

    await expectRefusedCold(cold, await tokenOf(cold))
    expectIssued(cold.broker, await cold.exchange(cold.sign()))
  })

  test('AWJ-01 is refused where it is none', async () => {
    const cold = await openAwsScene()
    onTestFinished(() => cold.close())

    for (const iss of [undefined, null, '', 1, [], {}, true, [cold.aws.account(ACCOUNT).issuer]]) {
      await expectRefusedCold(cold, await forgeToken(cold, { iss }))
    }
    expectIssued(cold.broker, await cold.broker.exchange(await tokenOf(cold)))
  })

  const NEAR_ISSUERS = [
    `${ISSUER}.evil.example`,
    `${ISSUER}@evil.example`,
    `${ISSUER}/`,
    `${ISSUER}//`,
    `${ISSUER}:443`,
    `${ISSUER}:443/`,
    `${ISSUER}.`,
    `${ISSUER}?`,
    `${ISSUER}#`,
    `${ISSUER}/x`,
    `${ISSUER} `,
    ` ${ISSUER}`,
    `${ISSUER}\u0000`,
    `${ISSUER},${ISSUER}`,
    ISSUER.toUpperCase(),
    ISSUER.replace('a1b2', 'A1B2'),
    ISSUER.replace('api.aws', 'API.AWS'),
    ISSUER.replace('https:', 'HTTPS:'),
    ISSUER.replace('https:', 'http:'),
    ISSUER.replace('https://', ''),
    ISSUER.replace('https://', 'https:/'),
    ISSUER.replace('https://', 'https://evil.example/'),
    ISSUER.replace('https://', 'https://evil@'),
    ISSUER.replace('https://', 'https://evil.'),
    ISSUER.replace('a1b2c3d4-', ''),
    ISSUER.replace('a1b2c3d4', 'a1b2c3d5'),
    ISSUER.replace('.sts.', '.sts\u3002'),
    ISSUER.replace('tokens', 'token\u017f'),
    ISSUER.replace('global.api.aws', 'global.api.amazonwebservices.com.cn'),
    ISSUER.replace('.global', '.us-east-1'),
    'https://x.tokens.sts.global.api.aws.evil.example',
    'https://tokens.sts.global.api.aws',
    'https://*.tokens.sts.global.api.aws',
    'https://sts.amazonaws.com',
    '[object Object]',
  ]

  test('AWJ-10 is refused whatever it looks like, and asked for nothing', async () => {
    const cold = await openAwsScene({
      accounts: { [ACCOUNT]: { issuer: ISSUER } },
      document: (aws) => {
        const keys = { from: 'url', url: `${aws.origin}${aws.account(ACCOUNT).issuerPath}/.well-known/jwks.json` }
        return awsDocumentFor(aws, { accounts: { [ACCOUNT]: { web_identity_issuer: ISSUER, keys } } })
      },
    })
    onTestFinished(() => cold.close())

    for (const iss of NEAR_ISSUERS) await expectRefusedCold(cold, await forgeToken(cold, { iss }))
    expectIssued(cold.broker, await cold.broker.exchange(await tokenOf(cold)))
  })
})

describe('an account that signs for another', () => {
  openBeforeAll()

  const mine = `arn:aws:iam::${ACCOUNT}:role/${ROLE}`

  test.each(['RS256', 'ES384'] as const)('AWJ-02 is refused: %s', async (algorithm) => {
    const wish = { session: theirs(), signer: OTHER, algorithm }
    const forgeries: readonly (readonly [Members, Members])[] = [
      [{ aws_account: ACCOUNT }, {}],
      [{}, { sub: mine }],
      [{ aws_account: ACCOUNT }, { sub: mine }],
      [{ aws_account: ACCOUNT, principal_id: mine }, { sub: mine }],
      [{ aws_account: `${OTHER} ` }, {}],
      [{ aws_account: OTHER.replace('2', '02') }, {}],
    ]

    for (const [own, claims] of forgeries) {
      const token = await forgeAwsClaims(scene, own, claims, wish)
      expectProofRefused(scene.broker, await scene.broker.exchange(token), 'claims_inconsistent')
    }
    // Nothing is wrong with what it says of itself, but that nobody has bound it.
    const honest = await forgeAwsClaims(scene, {}, {}, wish)
    expectProofRefused(scene.broker, await scene.broker.exchange(honest), 'binding_missing')
  })

  test.each([Number(ACCOUNT), null, [ACCOUNT], '', undefined])(
    'AWJ-02 is refused where it names no account: %j',
    async (account) => {
      const reply = await scene.broker.exchange(await forgeAwsClaims(scene, { aws_account: account }))

      expectProofRefused(scene.broker, reply, account === undefined ? 'claim_missing' : 'claim_invalid')
      expectIssued(scene.broker, await scene.broker.exchange(await tokenOf(scene)))
    },
  )

  test.each(['RS256', 'ES384'] as const)('AWJ-03 is refused with a key of the same name: %s', async (algorithm) => {
    const { issuer } = scene.aws.account(OTHER)
    const kid = algorithm === 'RS256' ? 'RSA_0' : 'EC384_0'
    // The keys of both are at hand, under one name.
    expectIssued(scene.broker, await scene.broker.exchange(await forgeToken(scene, {}, { algorithm, header: { kid } })))
    const their = { session: theirs(), signer: OTHER, algorithm, header: { kid } }
    expectProofRefused(scene.broker, await scene.broker.exchange(await forgeToken(scene, {}, their)), 'binding_missing')

    const asThem = await forgeAwsClaims(scene, {}, { iss: issuer }, { session: theirs(), algorithm, header: { kid } })
    expectProofRefused(scene.broker, await scene.broker.exchange(asThem), 'signature_invalid')
    const asUs = await forgeToken(scene, {}, { signer: OTHER, algorithm, header: { kid } })
    expectProofRefused(scene.broker, await scene.broker.exchange(asUs), 'signature_invalid')
  })

  test('AWJ-03 is refused with a key of another kind, and with one that it alone has', async () => {
    const confused = await forgeToken(scene, {}, { algorithm: 'RS256', header: { kid: 'EC384_0' } })
    expectProofRefused(scene.broker, await scene.broker.exchange(confused), 'key_unsuitable')

    scene.clock.advance(60)
    scene.aws.account(OTHER).keys.rotate()
    expectProofRefused(scene.broker, await scene.broker.exchange(await tokenOf(scene, theirs())), 'binding_missing')
    const asUs = await forgeToken(scene, {}, { signer: OTHER })
    expectProofRefused(scene.broker, await scene.broker.exchange(asUs), 'key_unknown')
    expectIssued(scene.broker, await scene.broker.exchange(await tokenOf(scene)))
  })

  test('AWJ-03 is refused where each account has a trusted issuer of its own', async () => {
    const two = await openAwsScene({
      accounts: { [OTHER]: {} },
      document: (aws) => {
        const accountOf = (id: string) => ({ accounts: { [id]: { web_identity_issuer: aws.account(id).issuer } } })
        const trusted_issuers = {
          'aws-prod': trustAccounts(aws, accountOf(ACCOUNT)),
          'aws-test': trustAccounts(aws, accountOf(OTHER)),
        }
        return awsDocumentFor(aws, {}, { trusted_issuers, bindings: { mine: bindRole(ACCOUNT, ROLE, 'payments/api') } })
      },
    })
    onTestFinished(() => two.close())
    const { issuer } = two.aws.account(OTHER)

    for (let times = 0; times < 2; times++) {
      const asThem = await forgeToken(two, { iss: issuer })
      expectProofRefused(two.broker, await two.broker.exchange(asThem), 'signature_invalid')
      expectIssued(two.broker, await two.broker.exchange(await tokenOf(two)))
    }
  })
})

describe('AWS’s own claims', () => {
  openBeforeAll()

  const NOT_THE_NAME = [
    'https://sts.amazonaws.com',
    'https://sts.amazonaws.com//',
    'http://sts.amazonaws.com/',
    'https://STS.amazonaws.com/',
    'https://sts.amazonaws.com/x',
    'https://sts.amazonaws.com.cn/',
    'https://sts.us-east-1.amazonaws.com/',
    'sts.amazonaws.com',
    'https://aws.amazon.com/tags',
    'aws',
  ]

  test.each(NOT_THE_NAME)('AWJ-05 stand nowhere but under their name: %j', async (name) => {
    const { [AWS_CLAIMS]: own } = scene.aws.claimsFor(scene.session, { audiences: [BROKER] })

    const elsewhere = await forgeToken(scene, { [AWS_CLAIMS]: undefined, [name]: own })
    expectProofRefused(scene.broker, await scene.broker.exchange(elsewhere), 'claim_missing')
    // Beside the right ones they say nothing.
    const beside = await forgeToken(scene, { [name]: { aws_account: OTHER, org_id: 'o-1234567890' } })
    const { record } = expectIssued(scene.broker, await scene.broker.exchange(beside))
    expect(record?.attributes).not.toHaveProperty('aws.org_id')
  })

  test('AWJ-05 stand in an object: not at the top level, in a text or in a list', async () => {
    const own = scene.aws.claimsFor(scene.session, { audiences: [BROKER] })[AWS_CLAIMS] as Members
    const atTop = await forgeToken(scene, { [AWS_CLAIMS]: undefined, ...own })

    expectProofRefused(scene.broker, await scene.broker.exchange(atTop), 'claim_missing')
    for (const value of [JSON.stringify(own), [own], null, true, 1]) {
      const token = await forgeToken(scene, { ...own, [AWS_CLAIMS]: value })
      expectProofRefused(scene.broker, await scene.broker.exchange(token), 'claim_invalid')
    }
    const empty = await forgeToken(scene, { ...own, [AWS_CLAIMS]: {} })
    expectProofRefused(scene.broker, await scene.broker.exchange(empty), 'claim_missing')
  })
})
