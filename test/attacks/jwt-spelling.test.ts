/** Attacks with another spelling of the same token: base64url has one for any bytes, and no other passes. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readCompactJws } from '../../providers/kit/compact-jws.ts'
import { expectIssued, expectProofRefused } from '../support/answers.ts'
import { joinSegments, signerOf } from '../support/raw-jws.ts'
import { expectRefusedUnasked } from '../support/refused-unasked.ts'
import { openScene, POD, type Scene } from '../support/scene.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Spellings of a segment that lenient readers take for the same bytes. */
const RESPELLED: readonly (readonly [string, (segment: string) => string])[] = [
  ['one sign of padding', (segment) => `${segment}=`],
  ['two signs of padding', (segment) => `${segment}==`],
  ['padding in the middle', (segment) => `${segment.slice(0, 4)}=${segment.slice(4)}`],
  ['a line break behind', (segment) => `${segment}\n`],
  ['a line break in the middle', (segment) => `${segment.slice(0, 4)}\n${segment.slice(4)}`],
  ['a line break of Windows in the middle', (segment) => `${segment.slice(0, 4)}\r\n${segment.slice(4)}`],
  ['a space in the middle', (segment) => `${segment.slice(0, 4)} ${segment.slice(4)}`],
  ['a tab behind', (segment) => `${segment}\t`],
  ['a NUL in the middle', (segment) => `${segment.slice(0, 4)}\u0000${segment.slice(4)}`],
  ['a soft hyphen in the middle', (segment) => `${segment.slice(0, 4)}\u00ad${segment.slice(4)}`],
  ['a full-width letter', (segment) => `${segment.slice(0, 4)}\uff21${segment.slice(5)}`],
  ['a sign that is in no alphabet', (segment) => `${segment.slice(0, 4)}!${segment.slice(4)}`],
  ['a colon behind', (segment) => `${segment}:`],
]

/** What may not stand around a token, although it is white space to some. */
const AROUND = ['\v', '\f', '\u00a0', '\u2028', '\u3000', '\uFEFF', '\u0000', '\u0085', '\u200b']

describe.each(['RS256', 'ES256'] as const)('of a cluster with %s keys', (algorithm) => {
  let scene: Scene
  beforeAll(async () => {
    scene = await openScene({ cluster: { algorithm } })
  })
  afterAll(() => scene.close())

  test('JWT-23 refuses all fifteen other last characters of a signature', async () => {
    const genuine = await scene.proof()
    const others = otherLastCharacters(genuine)

    expect(others).toHaveLength(15)
    for (const proof of others) await expectRefusedUnasked(scene, proof, 'proof_malformed')
  })

  test('JWT-23 refuses another last character of header and payload, signed as it is', async () => {
    for (const unusedBits of [2, 4]) {
      const { header, payload } = segmentsWith(scene, unusedBits)
      const sign = signerOf(scene.cluster.key)
      for (const other of otherLastCharacters(header).slice(0, 3)) {
        await expectRefusedUnasked(scene, joinSegments(other, payload, sign), 'proof_malformed')
      }
      for (const other of otherLastCharacters(payload).slice(0, 3)) {
        await expectRefusedUnasked(scene, joinSegments(header, other, sign), 'proof_malformed')
      }
    }
  })

  test('JWT-23 refuses a last character that holds no bits', async () => {
    const { header, payload } = segmentsWith(scene, 0)
    const sign = signerOf(scene.cluster.key)

    await expectRefusedUnasked(scene, joinSegments(`${header}A`, payload, sign), 'proof_malformed')
    await expectRefusedUnasked(scene, joinSegments(header, `${payload}A`, sign), 'proof_malformed')
  })

  test('JWT-23 refuses the alphabet of base64, signed as it is', async () => {
    const proof = await proofWithBothSigns(scene)
    const [header = '', payload = '', signature = ''] = proof.split('.')
    const sign = signerOf(scene.cluster.key)
    const inBase64 = toBase64(payload)

    await expectRefusedUnasked(scene, `${header}.${payload}.${toBase64(signature)}`, 'proof_malformed')
    await expectRefusedUnasked(scene, joinSegments(header, inBase64, sign), 'proof_malformed')
    await expectRefusedUnasked(scene, `${header}.${inBase64}.${signature}`, 'proof_malformed')
  })

  test.each(RESPELLED)('JWT-23 refuses a segment with %s, signed as it is or not', async (_, respell) => {
    const [header = '', payload = '', signature = ''] = (await scene.proof()).split('.')
    const sign = signerOf(scene.cluster.key)
    const proofs = [
      joinSegments(respell(header), payload, sign),
      joinSegments(header, respell(payload), sign),
      `${header}.${respell(payload)}.${signature}`,
      `${header}.${payload}.${respell(signature)}`,
    ]
    // White space at the very end is the parameter's, and is trimmed.
    for (const proof of proofs.filter((text) => text === text.trim())) {
      await expectRefusedUnasked(scene, proof, 'proof_malformed')
    }
  })
})

describe('around a token', () => {
  let scene: Scene
  beforeAll(async () => {
    scene = await openScene({ cluster: { algorithm: 'ES256' } })
  })
  afterAll(() => scene.close())

  test.each(AROUND)('JWT-23 refuses %j in front of a token and behind it', async (space) => {
    const proof = await scene.proof()

    await expectRefusedUnasked(scene, `${proof}${space}`, 'proof_malformed')
    await expectRefusedUnasked(scene, `${space}${proof}`, 'proof_malformed')
  })

  test('JWT-23 refuses a line break beside a dot, as only the ends of the parameter are trimmed', async () => {
    const proof = await scene.proof()
    const dots = [proof.indexOf('.'), proof.lastIndexOf('.')]
    for (const dot of dots) {
      await expectRefusedUnasked(scene, `${proof.slice(0, dot)}\n${proof.slice(dot)}`, 'proof_malformed')
      await expectRefusedUnasked(scene, `${proof.slice(0, dot + 1)}\n${proof.slice(dot + 1)}`, 'proof_malformed')
    }
  })

  test.each(['\n', '\r\n', ' \t\n', '\n\n'])('JWT-23 takes a file’s %j at the end of the parameter', async (end) => {
    const proof = await scene.proof()

    const plain = expectIssued(scene.broker, await scene.broker.exchange(proof))
    const trimmed = expectIssued(scene.broker, await scene.broker.exchange(`${proof}${end}`))

    expect(trimmed.record?.proof_digest).toBe(plain.record?.proof_digest)
  })

  test.each(['\n', '\r\n', ' ', '\t', '\0', '=', '.', '~'])('JWT-23 the reader refuses %j at the end', async (end) => {
    const proof = await scene.proof()

    expect(readCompactJws(proof).algorithm).toBe('ES256')
    const refusal = expect.objectContaining({ name: 'ProofError', code: 'proof_malformed' })
    expect(() => readCompactJws(`${proof}${end}`)).toThrow(refusal)
    expect(() => readCompactJws(`${end}${proof}`)).toThrow(refusal)
  })

  test('JWT-23 refuses a signature that was cut by a character or grew by one', async () => {
    const proof = await scene.proof()

    // 85 characters hold no whole number of bytes, and 87 one byte more.
    await expectRefusedUnasked(scene, proof.slice(0, -1), 'proof_malformed')
    expectProofRefused(scene.broker, await scene.broker.exchange(`${proof}A`), 'signature_invalid')
  })
})

/** Gives every spelling of a text's last character that decodes to the same bytes. */
function otherLastCharacters(text: string): readonly string[] {
  const start = text.slice(text.lastIndexOf('.') + 1, -1)
  const bytes = Buffer.from(start + text.slice(-1), 'base64url')
  return ALPHABET.split('')
    .filter((last) => last !== text.slice(-1) && Buffer.from(start + last, 'base64url').equals(bytes))
    .map((last) => text.slice(0, -1) + last)
}

/** Gives header and payload with white space behind, so that the last character of each holds that many unused bits. */
function segmentsWith({ cluster }: Scene, unusedBits: number): { header: string; payload: string } {
  const pad = (object: object): string => {
    const text = JSON.stringify(object)
    const wanted = { 0: 0, 2: 2, 4: 1 }[unusedBits] ?? 0
    return Buffer.from(text.padEnd(text.length + ((3 + wanted - (text.length % 3)) % 3))).toString('base64url')
  }
  const header = { alg: cluster.key.algorithm, kid: cluster.key.keyId }
  return { header: pad(header), payload: pad(cluster.claimsFor(POD)) }
}

/**
 * Gives a genuine token whose payload and signature hold both of the signs that the two alphabets spell differently. Three of a
 * character end one group of three bytes, wherever they stand, and so give its sign; a signature is made until it holds both.
 */
async function proofWithBothSigns(scene: Scene): Promise<string> {
  for (;;) {
    const proof = await scene.forge({ note: '???>>>' })
    const [, payload = '', signature = ''] = proof.split('.')
    if ([payload, signature].every((segment) => /-/.test(segment) && /_/.test(segment))) return proof
  }
}

function toBase64(segment: string): string {
  return segment.replaceAll('-', '+').replaceAll('_', '/')
}
