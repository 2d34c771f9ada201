import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectIssued } from '../support/answers.ts'
import { type AwsScene, openAwsScene, LONG_AUDIENCE } from '../support/aws-scene.ts'
let scene: AwsScene
beforeAll(async () => { scene = await openAwsScene() })
afterAll(() => scene.close())
test('ours', async () => {
  const r = await scene.exchange(scene.sign())
  expectIssued(scene.broker, r)
})
test('google', async () => {
  const r = await scene.exchange(scene.sign({ shape: 'google' }), { audience: LONG_AUDIENCE })
  expectIssued(scene.broker, r)
})
