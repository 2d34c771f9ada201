/** Attacks with size: whatever is too large is refused before anybody looks into it. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { MAX_PROOF_LENGTH } from '../../providers/kit/compact-jws.ts'
import { expectIssued, expectRefusal } from '../support/answers.ts'
import { formOf } from '../support/broker.ts'
import { encodePart, rawJws, signerOf } from '../support/raw-jws.ts'
import { expectRefusedUnasked } from '../support/refused-unasked.ts'
import { openScene, POD, type Scene } from '../support/scene.ts'

/** Largest body that is read. */
const MAX_BODY_BYTES = 65_536

/** Bodies that are too large for a form, by the proof in them. */
const TOO_LARGE: readonly (readonly [string, string])[] = [
  ['a MiB of dots', '.'.repeat(1_048_576)],
  ['a million segments', 'a.'.repeat(1_000_000)],
  ['a million line breaks', '\n'.repeat(1_000_000)],
  ['a proof that fills the body, and a byte', '.'.repeat(MAX_BODY_BYTES - formOf('').toString().length + 1)],
]

/** Proofs that fit into a body, and are too large for a proof. */
const TOO_LONG: readonly (readonly [string, string])[] = [
  ['16 KiB of dots and one', '.'.repeat(MAX_PROOF_LENGTH + 1)],
  ['16 KiB of letters and one', 'a'.repeat(MAX_PROOF_LENGTH + 1)],
  ['as many dots as a body holds', '.'.repeat(MAX_BODY_BYTES - formOf('').toString().length)],
  ['30,000 segments', 'a.'.repeat(30_000)],
  ['line breaks within', `a${'\n'.repeat(20_000)}a`],
  ['a word on each of 10,000 lines', 'a\n'.repeat(10_000)],
  ['brackets', `${encodePart('{}')}.${encodePart('['.repeat(15_000))}.AAAA`],
]

/** Proofs of just the length that is looked at. */
const LONGEST: readonly (readonly [string, string])[] = [
  ['dots', '.'.repeat(MAX_PROOF_LENGTH)],
  ['letters', 'a'.repeat(MAX_PROOF_LENGTH)],
  ['segments', 'a.'.repeat(MAX_PROOF_LENGTH / 2)],
  ['line breaks between two letters', `a${'\n'.repeat(MAX_PROOF_LENGTH - 2)}a`],
  ['a header and nothing else', `${'a'.repeat(MAX_PROOF_LENGTH - 4)}.a.a`],
  ['two dots at the end', `${'a'.repeat(MAX_PROOF_LENGTH - 2)}..`],
  ['brackets for claims', `e30.${encodePart('['.repeat(12_000))}.AAAA`],
]

let scene: Scene
beforeAll(async () => {
  scene = await openScene({ cluster: { algorithm: 'ES256' } })
})
afterAll(() => scene.close())

test.each(TOO_LARGE)('JWT-31 answers 413 to %s, and asks nobody', async (_, proof) => {
  const before = scene.cluster.requests.length

  const reply = await scene.broker.exchange(proof)

  expectRefusal(scene.broker, reply, 'TL', 'body_too_large')
  expect(scene.cluster.requests.length).toBe(before)
})

test.each(TOO_LONG)('JWT-31 refuses %s as too large, and asks nobody', async (_, proof) => {
  await expectRefusedUnasked(scene, proof, 'proof_too_large')
})

test.each(LONGEST)('JWT-31 refuses 16 KiB of %s as malformed, and asks nobody', async (_, proof) => {
  expect(proof.length).toBeLessThanOrEqual(MAX_PROOF_LENGTH)
  await expectRefusedUnasked(scene, proof, 'proof_malformed')
})

test('JWT-31 refuses a genuine token of 16 KiB and one', async () => {
  await expectRefusedUnasked(scene, tokenOfLength(MAX_PROOF_LENGTH + 1), 'proof_too_large')
})

test('JWT-31 refuses a genuine token whose header is longer than any', async () => {
  const header = { alg: 'ES256', kid: scene.cluster.key.keyId, x: 'x'.repeat(2_048) }
  const proof = rawJws(header, scene.cluster.claimsFor(POD), signerOf(scene.cluster.key))

  await expectRefusedUnasked(scene, proof, 'proof_malformed')
})

test('JWT-31 reads a genuine token of 16 KiB, and one in more white space than that', async () => {
  const longest = tokenOfLength(MAX_PROOF_LENGTH)
  const spaced = `${'\n'.repeat(10_000)}${await scene.proof()}${' '.repeat(20_000)}`

  expectIssued(scene.broker, await scene.broker.exchange(longest))
  expectIssued(scene.broker, await scene.broker.exchange(spaced))
})

/** Gives a token of the pod with a claim of no meaning, and with white space behind its header, of exactly that length. */
function tokenOfLength(length: number): string {
  const header = JSON.stringify({ alg: 'ES256', kid: scene.cluster.key.keyId })
  const claims = scene.cluster.claimsFor(POD)
  const signer = signerOf(scene.cluster.key)
  const room = Math.floor(((length - rawJws(header, claims, signer).length) * 3) / 4)
  for (let padding = room - 32; padding <= room; padding++) {
    for (const spaces of ['', ' ', '  ']) {
      const token = rawJws(header + spaces, { ...claims, x: 'x'.repeat(padding) }, signer)
      if (token.length === length) return token
    }
  }
  throw new Error(`no token is ${length} characters long`)
}
