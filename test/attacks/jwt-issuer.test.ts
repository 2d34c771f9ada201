/** Attacks with the name of an issuer: compared to the byte, never normalised, never asked for anything. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type StandInServer, startStandInServer } from '../../providers/kit/stand-in-server.ts'
import { expectIssued, expectProofRefused } from '../support/answers.ts'
import { documentFor } from '../support/document.ts'
import { rawJws, signerOf } from '../support/raw-jws.ts'
import { expectRefusedUnasked } from '../support/refused-unasked.ts'
import { openScene, POD, type Scene } from '../support/scene.ts'

const ISSUER = 'https://oidc.cluster.example/id/2F33AB'

/** Names that something normalises, decodes, folds, cuts or searches into the one that is trusted. */
const NEAR_NAMES = [
  // Longer and shorter.
  `${ISSUER}/`,
  `${ISSUER}//`,
  `${ISSUER}/.`,
  `${ISSUER}/x/..`,
  `${ISSUER}0`,
  `${ISSUER}?`,
  `${ISSUER}?x=1`,
  `${ISSUER}#`,
  `${ISSUER}#x`,
  `${ISSUER};x`,
  `${ISSUER}/.well-known/openid-configuration`,
  `${ISSUER}\\`,
  'https://oidc.cluster.example/id/2F33A',
  'https://oidc.cluster.example/id/',
  'https://oidc.cluster.example/id',
  'https://oidc.cluster.example/',
  'https://oidc.cluster.example',
  'https://',
  '',
  // Inside of another.
  `https://evil.example/${ISSUER}`,
  `https://evil.example/?iss=${ISSUER}`,
  'https://oidc.cluster.example.evil.example/id/2F33AB',
  'https://evil-oidc.cluster.example/id/2F33AB',
  'https://oidc.cluster.example@evil.example/id/2F33AB',
  'https://evil.example@oidc.cluster.example/id/2F33AB',
  'https://:@oidc.cluster.example/id/2F33AB',
  `${ISSUER},https://evil.example`,
  `${ISSUER} https://evil.example`,
  // Another case.
  'https://OIDC.cluster.example/id/2F33AB',
  'HTTPS://oidc.cluster.example/id/2F33AB',
  'https://oidc.cluster.example/ID/2F33AB',
  'https://oidc.cluster.example/id/2f33ab',
  // Ports and schemes.
  'https://oidc.cluster.example:443/id/2F33AB',
  'https://oidc.cluster.example:/id/2F33AB',
  'https://oidc.cluster.example:0443/id/2F33AB',
  'https://oidc.cluster.example:80/id/2F33AB',
  'http://oidc.cluster.example/id/2F33AB',
  'oidc.cluster.example/id/2F33AB',
  '//oidc.cluster.example/id/2F33AB',
  'https:oidc.cluster.example/id/2F33AB',
  'https:/oidc.cluster.example/id/2F33AB',
  'https:\\\\oidc.cluster.example\\id\\2F33AB',
  // Slashes and dots.
  'https://oidc.cluster.example//id/2F33AB',
  'https://oidc.cluster.example/./id/2F33AB',
  'https://oidc.cluster.example/x/../id/2F33AB',
  'https://oidc.cluster.example./id/2F33AB',
  'https://oidc..cluster.example/id/2F33AB',
  // Percent signs.
  'https://oidc.cluster.example/%69d/2F33AB',
  'https://oidc.cluster.example/id/%32F33AB',
  'https://oidc.cluster.example/id%2F2F33AB',
  'https://oidc.cluster.example%2Fid/2F33AB',
  'https://oidc%2Ecluster.example/id/2F33AB',
  `${ISSUER}%00`,
  // Letters that look alike, or are folded away.
  'https://\u043eidc.cluster.example/id/2F33AB',
  'https://xn--idc-hed.cluster.example/id/2F33AB',
  'https://oidc\u3002cluster\uff0eexample/id/2F33AB',
  'https://\uff4fidc.cluster.example/id/2F33AB',
  'https://oi\u00addc.cluster.example/id/2F33AB',
  'https://oidc.clu\u017fter.example/id/2F33AB',
  'https://oidc.cluster.example/\u0131d/2F33AB',
  'https://oidc.cluster.example/id/2F33A\u0042\u0301',
  // White space and what is cut off.
  ` ${ISSUER}`,
  `${ISSUER} `,
  `\t${ISSUER}`,
  `${ISSUER}\n`,
  `${ISSUER}\r\n`,
  `${ISSUER}\u0000`,
  `${ISSUER}\u0000.evil.example`,
  `\uFEFF${ISSUER}`,
  `${ISSUER}\u200b`,
  'https://oidc.cluster\n.example/id/2F33AB',
  `"${ISSUER}"`,
  `["${ISSUER}"]`,
]

/** Values of `iss` that are no text. */
const NO_TEXT: readonly (readonly [string, (issuer: string) => unknown])[] = [
  ['a list of the right one', (issuer) => [issuer]],
  ['a list of the right one and another', (issuer) => [issuer, 'https://evil.example']],
  ['a list of another and the right one', (issuer) => ['https://evil.example', issuer]],
  ['a list in a list', (issuer) => [[issuer]]],
  ['an object', (issuer) => ({ iss: issuer })],
  ['an object with the right one for a member', (issuer) => ({ [issuer]: true })],
  ['an object that turns into text', (issuer) => ({ toString: issuer })],
  ['an object like a list', (issuer) => ({ 0: issuer, length: 1 })],
  ['an empty list', () => []],
  ['an empty object', () => ({})],
  ['null', () => null],
  ['true', () => true],
  ['a number', () => 0],
  ['nothing', () => undefined],
]

describe('an issuer with its keys in the document', () => {
  let scene: Scene
  beforeAll(async () => {
    scene = await openScene({
      cluster: { algorithm: 'ES256', issuer: ISSUER },
      document: ({ issuer, jwks }) => {
        const cluster = { provider: 'kubernetes', issuers: [issuer], keys: { from: 'inline', jwks } }
        return documentFor(issuer, { trusted_issuers: { cluster } })
      },
    })
  })
  afterAll(() => scene.close())

  test.each(NEAR_NAMES)('JWT-15 refuses %j for an issuer, under the very key of the trusted one', async (iss) => {
    const reply = await scene.broker.exchange(await scene.forge({ iss }))

    expectProofRefused(scene.broker, reply, 'issuer_not_trusted')
    expect(scene.broker.records().at(-1)).toMatchObject({ trusted_issuer: null, issuer: null, subject: null })
  })

  test('the issuer itself gets a token', async () => {
    expectIssued(scene.broker, await scene.broker.exchange(await scene.proof()))
  })
})

describe('an issuer with its keys by discovery', () => {
  let scene: Scene
  let attacker: StandInServer
  beforeAll(async () => {
    attacker = await startStandInServer({ route: () => ({ status: 404 }) })
    const insecureHosts = [attacker.host]
    scene = await openScene({
      cluster: { algorithm: 'ES256' },
      document: (cluster) => {
        insecureHosts.push(cluster.host)
        return documentFor(cluster.issuer)
      },
      broker: { insecureHosts },
    })
  })
  afterAll(async () => {
    await scene.close()
    await attacker.close()
  })

  test.each(NO_TEXT)('JWT-14 refuses %s for an issuer, and asks nobody', async (_, change) => {
    await expectRefusedUnasked(scene, await scene.forge({ iss: change(scene.cluster.issuer) }), 'issuer_not_trusted')
  })

  test('JWT-14 refuses two issuers in one token, whichever is trusted, and asks nobody', async () => {
    const { issuer, key } = scene.cluster
    const header = { alg: key.algorithm, kid: key.keyId }
    const claims = JSON.stringify({ ...scene.cluster.claimsFor(POD), iss: undefined }).slice(1)
    const ours = `"iss":"${issuer}"`
    for (const other of [
      '"iss":"https://evil.example"',
      String.raw`"\u0069ss":"https://evil.example"`,
      '"iss":null',
      ours,
    ]) {
      for (const text of [`{${ours},${other},${claims}`, `{${other},${ours},${claims}`]) {
        await expectRefusedUnasked(scene, rawJws(header, text, signerOf(key)), 'proof_malformed')
      }
    }
  })

  test('JWT-14 reads no issuer from anywhere but the claims', async () => {
    const { issuer, key } = scene.cluster
    const claims = { ...scene.cluster.claimsFor(POD), iss: undefined, ISS: issuer, issuer, 'iss ': issuer }
    const header = { alg: key.algorithm, kid: key.keyId, iss: issuer }
    const inherited = JSON.stringify(claims).replace('{', `{"__proto__":{"iss":"${issuer}"},`)

    await expectRefusedUnasked(scene, rawJws(header, claims, signerOf(key)), 'issuer_not_trusted')
    await expectRefusedUnasked(scene, rawJws(header, inherited, signerOf(key)), 'proof_malformed')
  })

  test('JWT-15 refuses other names of the same address, and asks nobody', async () => {
    const { issuer, host } = scene.cluster
    const port = host.slice(host.indexOf(':'))
    for (const iss of [
      `${issuer}/`,
      `${issuer}/openid/v1/jwks`,
      `https://${host}`,
      `HTTP://${host}`,
      `http://localhost${port}`,
      `http://127.1${port}`,
      `http://2130706433${port}`,
      `http://0x7f.0.0.1${port}`,
      `http://127.0.0.1.${port}`,
      `http://[::ffff:127.0.0.1]${port}`,
      `http://user@${host}`,
    ]) {
      await expectRefusedUnasked(scene, await scene.forge({ iss }), 'issuer_not_trusted')
    }
  })

  test('JWT-15 never asks an issuer that only the token names', async () => {
    for (const iss of [attacker.origin, `${attacker.origin}/`, `${attacker.origin}/${scene.cluster.issuer}`]) {
      await expectRefusedUnasked(scene, await scene.forge({ iss }), 'issuer_not_trusted')
    }

    expect(attacker.requests).toEqual([])
  })

  test('JWT-15 tells the operator the name, where it is short and plain', async () => {
    const plain = await scene.broker.exchange(await scene.forge({ iss: 'https://rebuilt.example' }))
    const long = await scene.broker.exchange(await scene.forge({ iss: `https://${'x'.repeat(300)}.example` }))
    const strange = await scene.broker.exchange(await scene.forge({ iss: 'https://strange.example\n{"level":"info"}' }))

    const factsOf = ({ requestId }: { requestId: string }) =>
      scene.broker.logs().find((line) => line.request_id === requestId)?.facts
    expect(factsOf(plain)).toEqual({ issuer: 'https://rebuilt.example' })
    expect([factsOf(long), factsOf(strange)]).toEqual([{}, {}])
  })

  test('the issuer itself gets a token', async () => {
    expectIssued(scene.broker, await scene.broker.exchange(await scene.proof()))
  })
})
