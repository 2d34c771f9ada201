/** Attacks through a document that cannot be used: it changes nothing, and it starts nothing. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { expectIssued, expectProofRefused, expectRefusal } from '../support/answers.ts'
import { startTestBroker } from '../support/broker.ts'
import { bindingFor, documentFor } from '../support/document.ts'
import { expectErrors } from '../support/expect-check.ts'
import { forgeAttributes } from '../support/forge-attributes.ts'
import { findFreePort, runChancery } from '../support/process.ts'
import { openScene } from '../support/scene.ts'

const ISSUER = 'https://oidc.eks.us-east-1.amazonaws.com/id/2F331C82755EF3E43731C8D6E299FAEF'

describe('text that is no document', () => {
  const text = JSON.stringify(documentFor(ISSUER))

  test.each([
    ['nothing', ''],
    ['half of it', text.slice(0, -1)],
    ['two of it', text + text],
    ['a byte order mark before it', `\ufeff${text}`],
    ['a comment in it', text.replace('{', '{ // note\n')],
    ['a comma too many', text.replace('"version":1', '"version":1,')],
    ['a member named twice', text.replace('"version":1', '"version":1,"bindings":{}')],
    ['a member named twice, once escaped', text.replace('"version":1', '"version":1,"b\\u0069ndings":{}')],
    ['a prototype', text.replace('"version":1', '"version":1,"__proto__":{}')],
    ['deep nesting', text.replace('"version":1', `"version":${'['.repeat(100)}${']'.repeat(100)}`)],
  ])('CFG-05 refuses %s', async (_, broken) => {
    await expectErrors(broken, [' json_malformed'])
  })

  test.each(['null', '[]', '1', '"document"', 'true'])('CFG-05 refuses %s', async (other) => {
    await expectErrors(other, [' shape'])
  })
})

test('CFG-05 a broken document changes nothing, and is told', async () => {
  const scene = await openScene()
  onTestFinished(() => scene.close())
  const bindings = { all: bindingFor('billing', 'api', 'payments/api') }
  const stranger = await forgeAttributes(scene, { 'kubernetes.namespace': 'billing' })

  for (const more of [{ surprise: true }, { version: 0 }, { audiences: null }]) {
    await scene.broker.replaceDocument({ ...documentFor(scene.cluster.issuer, { bindings }), ...more })
    expectIssued(scene.broker, await scene.broker.exchange(await scene.proof()))
    expectProofRefused(scene.broker, await scene.broker.exchange(stranger), 'binding_missing')
  }
  const refusals = scene.broker.logs().filter(({ msg }) => msg === 'document refused')
  expect(refusals).toHaveLength(3)
  expect(await scene.broker.metrics()).toMatch(/stale.* 1\n/)
})

test('CFG-05 a broken document starts nothing, unless the store keeps a good one', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'chancery-store-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const flags = { store: `sqlite:${join(directory, 'store.db')}` }
  const broken = { version: 1, surprise: true }
  const { clock, ...first } = await openScene({ broker: { flags } })
  const proof = await first.proof()
  const { record } = expectIssued(first.broker, await first.broker.exchange(proof))

  const insecureHosts = [first.cluster.host]
  const empty = startTestBroker({ clock, document: broken, insecureHosts })
  await expect(empty).rejects.toMatchObject({ problems: [{ code: 'document_refused', path: ['--federation'] }] })
  await first.broker.stop()
  const second = await startTestBroker({ clock, document: broken, insecureHosts, flags })
  onTestFinished(() => first.cluster.close())
  onTestFinished(() => second.stop())

  expect(expectIssued(second, await second.exchange(proof)).record?.document).toBe(record?.document)
  expect(second.logs().map(({ msg }) => msg)).toContain('document refused')
  expectRefusal(second, await second.exchange('garbage'), 'IR', 'proof_malformed')
})

test('CFG-05 a boot with a broken document and nothing kept ends with 2, and says what is wrong', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'chancery-boot-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const federation = join(directory, 'federation.json')
  writeFileSync(federation, JSON.stringify({ ...documentFor(ISSUER), surprise: true }))
  const port = await findFreePort()

  const args = ['--issuer', `http://127.0.0.1:${port}`, '--listen', `127.0.0.1:${port}`, '--federation', federation]
  const metrics = ['--metrics-listen', '127.0.0.1:0', '--store', `sqlite:${join(directory, 'store.db')}`]
  const { code, out, err } = await runChancery(['serve', ...args, ...metrics])

  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toContain('/surprise')
  expect(err).toContain('member_unknown')
})
