/** Attacks through the values of headers: AWS-17 of the catalogue. */

import { afterAll, beforeAll, describe, test } from 'vitest'
import { type SignedRequest, withHeader } from '../../providers/aws/stand-in/signed-request.ts'
import type { Header } from '../../providers/aws/stand-in/sigv4.ts'
import { expectRefusedUnasked, expectTaken } from '../support/aws-answers.ts'
import { type AwsScene, openAwsScene } from '../support/aws-scene.ts'
import { BROKER } from '../support/document.ts'

let scene: AwsScene

/** A broker for each group of tests, as a broker records no more than a hundred refusals of a second one by one. */
function openBeforeAll(): void {
  beforeAll(async () => {
    scene = await openAwsScene()
  })
  afterAll(() => scene.close())
}

/** A genuine request with more in its list, which no signature covers. */
function withMore(...more: readonly object[]): object {
  const request = scene.sign()
  return { ...request, headers: [...request.headers, ...more] }
}

const header = (key: string, value: string): Header => ({ key, value })

function headerOf({ headers }: SignedRequest, name: string): string {
  return headers.find(({ key }) => key.toLowerCase() === name)?.value ?? ''
}

const BENDS: readonly (readonly [string, (value: string) => string])[] = [
  ['CR LF and another header', (value) => `${value}\r\nX-Injected: 1`],
  ['CR LF', (value) => `${value}\r\n`],
  ['LF', (value) => `${value}\n`],
  ['LF at the beginning', (value) => `\n${value}`],
  ['CR', (value) => `${value}\r`],
  ['a folded line', (value) => `${value}\r\n continued`],
  ['a folded line by LF', (value) => `${value}\n\tcontinued`],
  ['NUL', (value) => `${value}\u0000`],
  ['a tab', (value) => `${value}\t${value}`],
  ['DEL', (value) => `${value}\u007f`],
  ['a vertical tab', (value) => `${value}\u000b`],
  ['NEL', (value) => `${value}\u0085`],
  ['a no-break space', (value) => `${value}\u00a0`],
  ['a Latin letter beyond ASCII', (value) => `${value}é`],
  ['a letter that becomes LF in one byte', (value) => `${value}\u010a`],
  ['a line separator', (value) => `${value}\u2028`],
  ['a character beyond the plane', (value) => `${value}😀`],
  ['half a character', (value) => `${value}\ud800`],
  ['a space before', (value) => ` ${value}`],
  ['a space after', (value) => `${value} `],
  ['nothing', () => ''],
  ['a space alone', () => ' '],
  ['more than 8 KiB', (value) => value.padEnd(8_193, 'x')],
]

const NAMES = [
  'host',
  'x-amz-date',
  'x-amz-security-token',
  'x-chancery-audience',
  'authorization',
  'x-dropped',
] as const

describe.each(NAMES)('a value of %s', (name) => {
  openBeforeAll()

  test.each(BENDS)('AWS-17 refuses %s', async (_, bend) => {
    const request = scene.sign({ headers: { 'x-dropped': 'value' }, unsigned: ['x-dropped'] })
    const bent = withHeader(request, name, bend(headerOf(request, name)))

    await expectRefusedUnasked(scene, bent, 'proof_malformed')
  })

  test('AWS-17 takes it as it was', async () => {
    await expectTaken(scene, scene.sign({ headers: { 'x-dropped': 'value' }, unsigned: ['x-dropped'] }))
  })
})

describe('a value', () => {
  openBeforeAll()

  test('AWS-17 refuses an audience that is signed with a line of its own', async () => {
    await expectRefusedUnasked(
      scene,
      scene.sign({ audience: `${BROKER}\r\nx-chancery-audience: x` }),
      'proof_malformed',
    )
    await expectRefusedUnasked(scene, scene.sign({ audience: `${BROKER}\n` }), 'proof_malformed')
    await expectRefusedUnasked(scene, scene.sign({ audience: ` ${BROKER}` }), 'proof_malformed')
  })

  test.each([null, 1, true, ['value'], { value: 'value' }, undefined])(
    'AWS-17 refuses a value that is no text: %j',
    async (value) => {
      await expectRefusedUnasked(scene, withMore({ key: 'x-dropped', value }), 'proof_malformed')
      await expectRefusedUnasked(scene, withMore({ key: value, value: 'value' }), 'proof_malformed')
    },
  )

  test('AWS-17 drops a header of printable ASCII, whatever it says', async () => {
    await expectTaken(scene, withMore(header('x-dropped', 'a value; with = every, thing "in" it ~')))
    await expectTaken(scene, withMore(header('x-dropped', 'x'.repeat(8_192))))
  })
})
