/** Attacks with the date of a signature: AWS-37 to AWS-39 of the catalogue. */

import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { expectIssued, expectProofRefused } from '../support/answers.ts'
import { expectRefusedUnasked, expectTaken } from '../support/aws-answers.ts'
import { type AwsScene, openAwsScene } from '../support/aws-scene.ts'

let scene: AwsScene
beforeAll(async () => {
  scene = await openAwsScene()
})
afterAll(() => scene.close())

test.each([301, 302, 600, 899])('AWS-37 refuses a signature of %i seconds ago, which STS would take', async (age) => {
  await expectRefusedUnasked(scene, scene.sign({ date: scene.clock.now() - age }), 'proof_expired')
})

test.each([901, 86_400, 31_536_000])('AWS-37 refuses a signature of %i seconds ago', async (age) => {
  await expectRefusedUnasked(scene, scene.sign({ date: scene.clock.now() - age }), 'proof_expired')
})

test.each([0, 1, 299, 300])('AWS-37 takes a signature of %i seconds ago', async (age) => {
  await expectTaken(scene, scene.sign({ date: scene.clock.now() - age }))
})

test('AWS-37 refuses a proof that becomes too old on its way', async () => {
  const own = await openAwsScene()
  onTestFinished(() => own.close())
  const early = own.sign()
  const late = own.sign()

  own.clock.advance(300)
  await expectTaken(own, early)
  own.clock.advance(1)
  await expectRefusedUnasked(own, late, 'proof_expired')
})

test.each([61, 120, 899, 901, 86_400])(
  'AWS-38 refuses a signature for %i seconds from now, whatever STS says',
  async (ahead) => {
    await expectRefusedUnasked(scene, scene.sign({ date: scene.clock.now() + ahead }), 'proof_not_yet_valid')
  },
)

test.each([1, 59, 60])('AWS-38 takes a signature for %i seconds from now', async (ahead) => {
  await expectTaken(scene, scene.sign({ date: scene.clock.now() + ahead }))
})

test('AWS-38 a signature for a minute from now is good for six minutes and no more, once', async () => {
  const own = await openAwsScene()
  onTestFinished(() => own.close())
  const [early, late] = [own.sign({ date: own.clock.now() + 60 }), own.sign({ date: own.clock.now() + 60 })]

  expectIssued(own.broker, await own.exchange(early))
  own.clock.advance(360)
  expectProofRefused(own.broker, await own.exchange(early), 'proof_replayed')
  expectIssued(own.broker, await own.exchange(late))
  own.clock.advance(1)
  expectProofRefused(own.broker, await own.exchange(early), 'proof_expired')
})

test.each([
  '2026-01-15T12:00:00Z',
  '20260115T120000',
  '20260115T120000z',
  '20260115t120000Z',
  '20260115 120000Z',
  '20260115T120000+0000',
  '20260115T120000.000Z',
  '20260115T1200Z',
  '20260115',
  '020260115T120000Z',
  '1768478400',
  '1768478400000',
  'Thu, 15 Jan 2026 12:00:00 GMT',
  '20260115T240000Z',
  '20260115T126000Z',
  '20260115T120060Z',
  '20260115T235960Z',
  '20260132T120000Z',
  '20260100T120000Z',
  '20260229T120000Z',
  '20261315T120000Z',
  '20260015T120000Z',
  '20260115T120000Z,20260115T120000Z',
  '２０２６0115T120000Z',
  '-0260115T120000Z',
  'now',
])('AWS-39 refuses a request that was signed for the date %j', async (amzDate) => {
  await expectRefusedUnasked(scene, scene.sign({ amzDate }), 'proof_malformed')
})

test('AWS-39 refuses a Date header, in place of ours and beside it, signed or not', async () => {
  const headers = { Date: 'Thu, 15 Jan 2026 12:00:00 GMT' }
  const compact = { Date: '20260115T120000Z' }

  for (const date of [headers, compact]) {
    await expectRefusedUnasked(scene, scene.sign({ headers: date }), 'proof_malformed')
    await expectRefusedUnasked(scene, scene.sign({ headers: date, unsigned: ['date'] }), 'proof_malformed')
    await expectRefusedUnasked(scene, scene.sign({ headers: date, without: ['x-amz-date'] }), 'proof_malformed')
  }
})

test('AWS-39 refuses a date that is missing, or not signed', async () => {
  await expectRefusedUnasked(scene, scene.sign({ without: ['x-amz-date'] }), 'proof_malformed')
  await expectRefusedUnasked(scene, scene.sign({ unsigned: ['x-amz-date'] }), 'proof_malformed')
  await expectTaken(scene, scene.sign({ amzDate: '20260115T120000Z' }))
})

test('AWS-39 takes the day that a leap year has', async () => {
  const own = await openAwsScene()
  onTestFinished(() => own.close())
  const leapDay = Date.UTC(2028, 1, 29, 12) / 1_000
  own.clock.advance(leapDay - own.clock.now())

  const { record } = await expectTaken(own, own.sign())

  expect(own.aws.requests.at(-1)?.headers['x-amz-date']).toBe('20280229T120000Z')
  expect(record?.identity).toBe('payments/api')
})
