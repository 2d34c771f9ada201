/** What an answer gives away: nothing about why a proof was refused, and nothing about us. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RefusalReason } from '../../src/audit/reasons.ts'
import { expectProofRefused, REFUSED_BODY } from '../support/answers.ts'
import { formOf, type Parameters } from '../support/broker.ts'
import { BROKER } from '../support/document.ts'
import { openSocket, readToClose } from '../support/raw-http.ts'
import { openScene, POD, type Scene } from '../support/scene.ts'

let scene: Scene
let stranger: Scene
beforeAll(async () => {
  scene = await openScene()
  scene.cluster.createServiceAccount('payments', 'web')
  scene.cluster.createServiceAccount('shop', 'api')
  stranger = await openScene()
})
afterAll(async () => {
  await scene.close()
  await stranger.close()
})

/** Sends an exchange and gives the whole answer, byte for byte but for the two fields that may differ. */
async function answerTo(proof: string, parameters: Parameters = {}): Promise<string> {
  scene.broker.watch(proof)
  const body = formOf(proof, parameters).toString()
  const socket = await openSocket(scene.broker.origin)
  const received = readToClose(socket)
  const fields = ['Host: broker.example', 'Content-Type: application/x-www-form-urlencoded', 'Connection: close']
  socket.write(`POST /token HTTP/1.1\r\n${fields.join('\r\n')}\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  return (await received)
    .replace(/^(date: )[^\r]+/im, '$1(when)')
    .replace(/^(x-request-id: )[0-9a-f-]{36}\r/im, '$1(which)\r')
}

function reasonOfLast(): RefusalReason | null | undefined {
  return scene.broker.records().at(-1)?.reason
}

/** Changes the last byte that a signature is of. */
function withoutSignature(proof: string): string {
  return `${proof.slice(0, proof.lastIndexOf('.') + 1)}${Buffer.alloc(256, 1).toString('base64url')}`
}

const now = (): number => scene.clock.now()

/** Everything that can be wrong with a proof, as far as a proof can say it. */
const REFUSED: readonly (readonly [RefusalReason, () => Promise<string>])[] = [
  ['proof_malformed', async () => 'garbage'],
  ['proof_malformed', async () => 'a.b.c'],
  ['proof_malformed', async () => `${await scene.proof()}=`],
  ['proof_too_large', async () => 'x'.repeat(20_000)],
  ['issuer_not_trusted', () => stranger.proof()],
  ['issuer_not_trusted', () => scene.forge({ iss: undefined })],
  ['issuer_not_trusted', () => scene.forge({ iss: `${scene.cluster.issuer}/` })],
  ['header_forbidden', () => scene.forge({}, { jku: scene.cluster.issuer })],
  ['type_not_accepted', () => scene.forge({}, { typ: 'at+jwt' })],
  ['key_id_missing', () => scene.forge({}, { kid: undefined })],
  ['key_unknown', () => scene.forge({}, { kid: 'nobody-knows' })],
  ['signature_invalid', async () => withoutSignature(await scene.proof())],
  ['signature_invalid', () => stranger.cluster.sign(scene.cluster.claimsFor(POD), { kid: scene.cluster.key.keyId })],
  ['audience_mismatch', () => scene.proof({ audiences: ['https://somebody.else.example'] })],
  ['audience_mismatch', () => scene.forge({ aud: undefined })],
  ['audience_not_single', () => scene.proof({ audiences: [BROKER, 'https://somebody.else.example'] })],
  ['proof_expired', () => scene.forge({ iat: now() - 700, nbf: now() - 700, exp: now() - 1 })],
  ['proof_not_yet_valid', () => scene.forge({ iat: now() + 90, nbf: now() + 90, exp: now() + 700 })],
  ['proof_lifetime_too_long', () => scene.forge({ exp: now() + 100_000 })],
  ['claim_missing', () => scene.forge({ exp: undefined })],
  ['claim_invalid', () => scene.forge({ sub: 7 })],
  ['claim_forbidden', () => scene.forge({ nonce: 'x' })],
  ['claims_inconsistent', () => scene.forge({ sub: 'system:serviceaccount:payments:web' })],
  ['binding_missing', () => scene.proof({ serviceAccount: 'web', pod: undefined })],
  ['binding_missing', () => scene.proof({ namespace: 'shop', pod: undefined })],
]

test('OAU-17 an unmapped workload is told what a forger is told', async () => {
  const unmapped = await scene.proof({ serviceAccount: 'web', pod: undefined })
  const forged = withoutSignature(await scene.proof())

  const toUnmapped = await answerTo(unmapped)
  const reasonOfUnmapped = reasonOfLast()
  const toForger = await answerTo(forged)

  expect([reasonOfUnmapped, reasonOfLast()]).toEqual(['binding_missing', 'signature_invalid'])
  expect(toUnmapped).toBe(toForger)
})

test('OAU-17 learns nothing about targets and scopes either', async () => {
  const unmapped = await scene.proof({ namespace: 'shop', pod: undefined })
  const plain = await answerTo(unmapped)
  const wishes: readonly Parameters[] = [
    { audience: 'https://orders.example' },
    { audience: 'nothing-of-that-name' },
    { audience: undefined },
    { scope: 'entries:read' },
    { scope: 'nothing:of-that-name' },
    { requested_token_type: 'urn:ietf:params:oauth:token-type:jwt' },
  ]

  for (const wish of wishes) {
    expect(await answerTo(unmapped, wish)).toBe(plain)
    expect(reasonOfLast()).toBe('binding_missing')
  }
})

test('OAU-17 records whom it was that nothing is mapped to', async () => {
  const reply = await scene.broker.exchange(await scene.proof({ namespace: 'shop', pod: undefined }))

  expectProofRefused(scene.broker, reply, 'binding_missing')
  expect(scene.broker.records().at(-1)).toMatchObject({
    subject: 'system:serviceaccount:shop:api',
    trusted_issuer: 'cluster',
    binding: null,
    identity: null,
  })
})

test('OAU-26 every refused proof gets one answer, byte for byte', async () => {
  const first = await answerTo('garbage')
  expect(first).toContain(`\r\n\r\n${REFUSED_BODY}`)

  for (const [reason, makeProof] of REFUSED) {
    const answer = await answerTo(await makeProof())

    expect(reasonOfLast()).toBe(reason)
    expect(answer).toBe(first)
  }
})

test('OAU-26 the wish beside a refused proof changes no byte of the answer', async () => {
  const first = await answerTo('garbage')
  const proofs = ['garbage', await stranger.proof(), withoutSignature(await scene.proof())]
  const wishes: readonly Parameters[] = [
    { audience: undefined },
    { audience: 'https://orders.example' },
    { audience: 'nothing-of-that-name' },
    { scope: 'entries:read' },
    { scope: 'nothing:of-that-name' },
    { subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' },
  ]

  for (const proof of proofs) {
    for (const wish of wishes) expect(await answerTo(proof, wish)).toBe(first)
  }
})
