/** Attacks with JSON that two readers read differently, or that is no claims set at all. */

import { afterAll, beforeAll, describe, test } from 'vitest'
import { expectIssued } from '../support/answers.ts'
import { BROKER } from '../support/document.ts'
import { type Part, rawJws, signerOf } from '../support/raw-jws.ts'
import { expectRefusedUnasked } from '../support/refused-unasked.ts'
import { openScene, POD, type Scene } from '../support/scene.ts'

/** A member that is there already, spelled another way, with the value that it has or another. */
const REPEATED: readonly (readonly [string, string])[] = [
  ['aud as it is', `"aud":["${BROKER}"]`],
  ['another aud', '"aud":"https://evil.example"'],
  ['aud with an escape', String.raw`"a\u0075d":["${BROKER}"]`],
  ['another aud with an escape', String.raw`"a\u0075d":"https://evil.example"`],
  ['aud in escapes alone', String.raw`"\u0061\u0075\u0064":"https://evil.example"`],
  ['aud with white space before its colon', '"aud" \t\r\n :"https://evil.example"'],
  ['another sub', '"sub":"system:serviceaccount:payments:admin"'],
  ['another sub with an escape', String.raw`"s\u0075b":"system:serviceaccount:payments:admin"`],
  ['a later exp', '"exp":4102444800'],
  ['a later exp with an escape', String.raw`"\u0065xp":4102444800`],
  ['another namespace', String.raw`"kubernetes\u002eio":{"namespace":"kube-system"}`],
  ['another namespace with a capital in the escape', String.raw`"kubernetes\u002Eio":{"namespace":"kube-system"}`],
  ['__proto__', `"__proto__":{"aud":"${BROKER}"}`],
  ['__proto__ with an escape', String.raw`"\u005f_proto__":{"aud":"https://evil.example"}`],
  ['a claim of no meaning twice', '"x":1,"x":1'],
  ['a claim with a slash twice', String.raw`"x/y":1,"x\/y":1`],
  ['a claim beyond ASCII twice', String.raw`"é":1,"\u00e9":1`],
  ['a claim beyond the first plane twice', String.raw`"😀":1,"\ud83d\ude00":1`],
  ['a member twice inside of a claim', '"x":{"y":1,"y":2}'],
  ['a member twice inside of a list', '"x":[0,[{"y":1,"z":[],"y":2}]]'],
  ['an empty name twice', '"":1,"":2'],
]

/** What is added to a header. */
const REPEATED_IN_HEADER: readonly (readonly [string, string])[] = [
  ['alg', '"alg":"ES256"'],
  ['alg none', '"alg":"none"'],
  ['alg with an escape', String.raw`"al\u0067":"none"`],
  ['kid', '"kid":"attacker"'],
  ['kid with an escape', String.raw`"\u006bid":"attacker"`],
  ['kid with a capital in the escape', String.raw`"\u006Bid":"attacker"`],
  ['typ twice', '"typ":"JWT","typ":"at+jwt"'],
  ['__proto__', '"__proto__":{"typ":"at+jwt"}'],
]

/** Payloads that are signed, and are no claims set. */
const NO_CLAIMS: readonly (readonly [string, (claims: string) => Part])[] = [
  ['an empty list', () => '[]'],
  ['a list of claims sets', (claims) => `[${claims}]`],
  ['text', () => '"claims"'],
  ['a claims set in text', (claims) => JSON.stringify(claims)],
  ['a number', () => '7'],
  ['null', () => 'null'],
  ['true', () => 'true'],
  ['white space', () => ' '],
  ['three claims sets', (claims) => claims.repeat(3)],
  ['three values', (claims) => `${claims} 1 2`],
  ['a claims set after null', (claims) => `null${claims}`],
  ['two claims sets on two lines', (claims) => `${claims}\n${claims}`],
  ['a claims set in a comma list', (claims) => `${claims},${claims}`],
  ['a byte order mark before it', (claims) => `\uFEFF${claims}`],
  ['a byte order mark behind it', (claims) => `${claims}\uFEFF`],
  ['a NUL behind it', (claims) => `${claims}\u0000`],
  ['a NUL before it', (claims) => `\u0000${claims}`],
  ['a no-break space before it', (claims) => `\u00a0${claims}`],
  ['UTF-16, little end first', (claims) => Buffer.from(claims, 'utf16le')],
  ['UTF-16 with its mark', (claims) => Buffer.from(`\uFEFF${claims}`, 'utf16le')],
  ['a byte that is never UTF-8', (claims) => withBytes(claims, [0xff])],
  ['a lone continuation byte', (claims) => withBytes(claims, [0x80])],
  ['a character that breaks off', (claims) => withBytes(claims, [0xe2, 0x82])],
  ['an overlong slash', (claims) => withBytes(claims, [0xc0, 0xaf])],
  ['an overlong NUL', (claims) => withBytes(claims, [0xc0, 0x80])],
  ['a surrogate in UTF-8', (claims) => withBytes(claims, [0xed, 0xa0, 0x80])],
  ['a character beyond Unicode', (claims) => withBytes(claims, [0xf4, 0x90, 0x80, 0x80])],
  ['Latin-1', (claims) => withBytes(claims, [0xe9])],
  ['a comment', (claims) => `/* */${claims}`],
  ['a comment to the end of the line', (claims) => `${claims}//`],
  ['a comma too many', (claims) => `${claims.slice(0, -1)},}`],
  ['a brace too many', (claims) => `${claims}}`],
  ['a brace too few', (claims) => claims.slice(0, -1)],
  ['single quotes', (claims) => claims.replaceAll('"', "'")],
  ['a name without quotes', (claims) => `${claims.slice(0, -1)},x:1}`],
  ['NaN', (claims) => `${claims.slice(0, -1)},"x":NaN}`],
  ['Infinity', (claims) => `${claims.slice(0, -1)},"x":-Infinity}`],
  ['a number with a leading zero', (claims) => `${claims.slice(0, -1)},"x":01}`],
  ['a hexadecimal number', (claims) => `${claims.slice(0, -1)},"x":0x1}`],
  ['a line break in text', (claims) => `${claims.slice(0, -1)},"x":"\n"}`],
  ['an escape that is none', (claims) => `${claims.slice(0, -1)},"x":"\\x41"}`],
  ['an anchor of YAML', (claims) => `&a ${claims}`],
  ['a claim nested 16 deep', (claims) => withNesting(claims, 16)],
  ['a claim nested 5000 deep', (claims) => withNesting(claims, 5_000)],
  ['lists that never end', () => '['.repeat(12_000)],
  ['objects that never end', () => '{"a":'.repeat(2_400)],
]

/** Headers of the same kinds. */
const NO_HEADER: readonly (readonly [string, (header: string) => Part])[] = [
  ['a list', (header) => `[${header}]`],
  ['text', (header) => JSON.stringify(header)],
  ['null', () => 'null'],
  ['two headers', (header) => header.repeat(2)],
  ['a byte order mark', (header) => `\uFEFF${header}`],
  ['a byte that is never UTF-8', (header) => withBytes(header, [0xff])],
  ['UTF-16', (header) => Buffer.from(header, 'utf16le')],
  ['nesting 16 deep', (header) => withNesting(header, 16)],
  ['more than 2 KiB', (header) => `${header.slice(0, -1)},"x":"${'x'.repeat(2_048)}"}`],
]

let scene: Scene
beforeAll(async () => {
  scene = await openScene({ cluster: { algorithm: 'ES256' } })
})
afterAll(() => scene.close())

describe('before any key was fetched', () => {
  test.each(REPEATED)('JWT-17 refuses a claims set with %s again, in front or behind', async (_, member) => {
    const claims = claimsText()

    await expectRefusedUnasked(scene, forge(headerText(), `{${member},${claims.slice(1)}`), 'proof_malformed')
    await expectRefusedUnasked(scene, forge(headerText(), `${claims.slice(0, -1)},${member}}`), 'proof_malformed')
  })

  test('JWT-17 refuses a member that stands twice in a claim of the platform', async () => {
    const claims = claimsText()
    for (const name of ['namespace', 'serviceaccount', 'pod']) {
      const escaped = `"\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}":"kube-system",`
      const text = claims.replace('"kubernetes.io":{', `"kubernetes.io":{${escaped}`)
      await expectRefusedUnasked(scene, forge(headerText(), text), 'proof_malformed')
    }
    const renamed = claims.replace('"serviceaccount":{', '"serviceaccount":{"n\\u0061me":"admin",')
    await expectRefusedUnasked(scene, forge(headerText(), renamed), 'proof_malformed')
  })

  test.each(REPEATED_IN_HEADER)('JWT-17 refuses a header with %s again, in front or behind', async (_, member) => {
    const header = headerText()

    await expectRefusedUnasked(scene, forge(`{${member},${header.slice(1)}`, claimsText()), 'proof_malformed')
    await expectRefusedUnasked(scene, forge(`${header.slice(0, -1)},${member}}`, claimsText()), 'proof_malformed')
  })
})

describe('still before any key was fetched', () => {
  let fresh: Scene
  beforeAll(async () => {
    fresh = await openScene({ cluster: { algorithm: 'ES256' } })
  })
  afterAll(() => fresh.close())

  test.each(NO_CLAIMS)('JWT-29 refuses a payload that is %s', async (_, make) => {
    const proof = rawJws(headerText(fresh), make(claimsText(fresh)), signerOf(fresh.cluster.key))

    await expectRefusedUnasked(fresh, proof, 'proof_malformed')
  })

  test.each(NO_HEADER)('JWT-29 refuses a header that is %s', async (_, make) => {
    const proof = rawJws(make(headerText(fresh)), claimsText(fresh), signerOf(fresh.cluster.key))

    await expectRefusedUnasked(fresh, proof, 'proof_malformed')
  })
})

/** Text that a careless scanner would take for members, brackets and escapes. */
const HARMLESS: readonly (readonly [string, string])[] = [
  ['names that differ in case', '"AUD":"x","Iss":"y"'],
  ['text that looks like a member', String.raw`"x":"\",\"aud\":\"https://evil.example\",{[","y":"}]}"`],
  ['text that ends in a backslash', String.raw`"x":"\\","y":"\\\\"`],
  ['the same name in two objects', '"x":{"y":1},"z":[{"y":1},{"y":1}],"y":1'],
  ['a name that is also a value', '"x":"y","y":"x"'],
  ['white space around everything', ' "x" : [ 1 , 2 ] '],
  ['a claim nested 15 deep', `"x":${'['.repeat(15)}${']'.repeat(15)}`],
  ['a name that objects inherit', '"constructor":1,"toString":2,"hasOwnProperty":3'],
]

test.each(HARMLESS)('a token with %s gets one', async (_, members) => {
  const proof = forge(headerText(), `${claimsText().slice(0, -1)},${members}}`)

  expectIssued(scene.broker, await scene.broker.exchange(proof))
})

function headerText({ cluster }: Scene = scene): string {
  return JSON.stringify({ alg: 'ES256', kid: cluster.key.keyId })
}

function claimsText({ cluster }: Scene = scene): string {
  return JSON.stringify(cluster.claimsFor(POD))
}

function forge(header: Part, claims: Part): string {
  return rawJws(header, claims, signerOf(scene.cluster.key))
}

/** Puts bytes into the text of one more member. */
function withBytes(object: string, bytes: readonly number[]): Buffer {
  return Buffer.concat([Buffer.from(`${object.slice(0, -1)},"x":"`), Buffer.from(bytes), Buffer.from('"}')])
}

/** Adds a member that is so many lists deep. */
function withNesting(object: string, depth: number): string {
  return `${object.slice(0, -1)},"x":${'['.repeat(depth)}${']'.repeat(depth)}}`
}
