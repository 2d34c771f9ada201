/** Attacks that spell a spent proof anew: AWS-45 of the catalogue. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeSignedRequest, type SignedRequest } from '../../providers/aws/stand-in/signed-request.ts'
import { expectIssued, expectProofRefused } from '../support/answers.ts'
import { expectRefusedUnasked, expectTaken } from '../support/aws-answers.ts'
import { type AwsScene, LONG_AUDIENCE, openAwsScene } from '../support/aws-scene.ts'
import { spellJson } from '../support/json-texts.ts'

let scene: AwsScene

/** A broker for each group of tests, as a broker records no more than a hundred refusals of a second one by one. */
function openBeforeAll(): void {
  beforeAll(async () => {
    scene = await openAwsScene()
  })
  afterAll(() => scene.close())
}

const encode = (request: object): string => encodeURIComponent(JSON.stringify(request))

/** Writes each header anew. */
function withHeaders(
  request: SignedRequest,
  rewrite: (header: SignedRequest['headers'][number]) => object,
): SignedRequest {
  return { ...request, headers: request.headers.map(rewrite) as unknown as SignedRequest['headers'] }
}

const mapAuthorization = (request: SignedRequest, rewrite: (text: string) => string): SignedRequest =>
  withHeaders(request, ({ key, value }) => ({ key, value: key === 'authorization' ? rewrite(value) : value }))

const titleCase = (name: string): string => name.replaceAll(/\b[a-z]/g, (letter) => letter.toUpperCase())

/** Ways to write one request, in which every broker has to see the same proof. */
const SPELLINGS: readonly (readonly [string, (request: SignedRequest) => string])[] = [
  ['as it is', encodeSignedRequest],
  ['with white space', (request) => encodeURIComponent(JSON.stringify(request, null, 2))],
  ['with tabs and line ends', (request) => encodeURIComponent(`${JSON.stringify(request, null, '\t')}\r\n `)],
  ['with slashes as they are', (request) => encode(request).replaceAll('%2F', '/')],
  ['with spaces as plus', (request) => encode(request).replaceAll('%20', '+')],
  ['with escapes in lower case', (request) => encode(request).replaceAll(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase())],
  [
    'with letters escaped',
    (request) =>
      encode(request).replaceAll(/%..|[A-Z-]/g, (text) =>
        text.startsWith('%') ? text : `%${text.charCodeAt(0).toString(16)}`,
      ),
  ],
  ['with Unicode escapes', (request) => encodeURIComponent(JSON.stringify(request).replaceAll('&', '\\u0026'))],
  [
    'with every character escaped',
    (request) => encodeURIComponent(JSON.stringify(request).replace(/"POST"/, spellJson('POST', [1]))),
  ],
  ['with slashes escaped', (request) => encodeURIComponent(JSON.stringify(request).replaceAll('/', '\\/'))],
  ['with members in another order', (request) => encode(Object.fromEntries(Object.entries(request).toReversed()))],
  ['with headers in another order', (request) => encode({ ...request, headers: request.headers.toReversed() })],
  ['with values before keys', (request) => encode(withHeaders(request, ({ key, value }) => ({ value, key })))],
  [
    'with names in canonical case',
    (request) => encode(withHeaders(request, ({ key, value }) => ({ key: titleCase(key), value }))),
  ],
  [
    'with names in upper case',
    (request) => encode(withHeaders(request, ({ key, value }) => ({ key: key.toUpperCase(), value }))),
  ],
  [
    'with a header more',
    (request) => encode({ ...request, headers: [...request.headers, { key: 'x-more', value: '1' }] }),
  ],
  [
    'with another user agent',
    (request) => encode({ ...request, headers: [{ key: 'User-Agent', value: 'x' }, ...request.headers] }),
  ],
  [
    'with an accepted type',
    (request) => encode({ ...request, headers: [...request.headers, { key: 'Accept', value: 'application/json' }] }),
  ],
  [
    'with no spaces in Authorization',
    (request) => encode(mapAuthorization(request, (text) => text.replaceAll(', ', ','))),
  ],
]

/** Spellings that only Google's shape has. */
const GOOGLES: typeof SPELLINGS = [
  ['with a slash in the URL', (request) => encode({ ...request, url: request.url.replace('.com?', '.com/?') })],
  ['with an empty body', (request) => encode({ ...request, body: '' })],
  [
    'with the audience header twice',
    (request) =>
      encode({
        ...request,
        headers: [...request.headers, { key: 'X-Goog-Cloud-Target-Resource', value: LONG_AUDIENCE }],
      }),
  ],
]

const SHAPES = [
  ['chancery', SPELLINGS, {}],
  ['google', [...SPELLINGS, ...GOOGLES], { audience: LONG_AUDIENCE }],
] as const

describe.each(SHAPES)('in the shape of %s', (shape, spellings, parameters) => {
  openBeforeAll()

  test('AWS-45 each spelling is good by itself', async () => {
    for (const [, spell] of spellings) await expectTaken(scene, spell(scene.sign({ shape })), parameters)
  })

  test('AWS-45 no spelling is good again', async () => {
    const request = scene.sign({ shape })
    const texts = spellings.map(([, spell]) => spell(request))
    expect(new Set(texts).size, 'texts that differ').toBe(spellings.length)

    await expectTaken(scene, request, parameters)

    for (const text of texts) await expectRefusedUnasked(scene, text, 'proof_replayed', parameters)
  })

  test('AWS-45 none is good after any other', async () => {
    for (const [index, [, spell]] of spellings.entries()) {
      const request = scene.sign({ shape })
      const [, respell] = spellings.at(index - 1) ?? []

      await expectTaken(scene, spell(request), parameters)
      await expectRefusedUnasked(scene, respell?.(request) ?? '', 'proof_replayed', parameters)
    }
  })

  test('AWS-45 one token where all come at once', async () => {
    const request = scene.sign({ shape })

    const replies = await Promise.all(spellings.map(([, spell]) => scene.exchange(spell(request), parameters)))

    const [issued, ...refused] = replies.toSorted((a, b) => a.status - b.status)
    if (issued === undefined) throw new Error('there is no answer')
    expectIssued(scene.broker, issued)
    for (const reply of refused) expectProofRefused(scene.broker, reply, 'proof_replayed')
  })
})

describe('a proof', () => {
  openBeforeAll()

  test('AWS-45 stays spent for another audience that the broker gives tokens for', async () => {
    const request = scene.sign()

    await expectTaken(scene, request)

    await expectRefusedUnasked(scene, request, 'proof_replayed', { audience: LONG_AUDIENCE })
    await expectRefusedUnasked(scene, request, 'proof_replayed', { audience: 'https://orders.example' })
  })

  test('AWS-45 of one second is another one than that of the next, and of another key', async () => {
    const { aws, clock, session } = scene
    const sign = () => aws.signedRequest(session, { audience: 'https://broker.example' })

    await expectTaken(scene, sign())
    clock.advance(1)
    await expectTaken(scene, sign())
    await expectTaken(scene, scene.sign())
  })
})
