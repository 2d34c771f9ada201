/** The broker, run by exactly what its manifest says. */

import { readFileSync, statSync } from 'node:fs'
import { describe, expect, test, vi } from 'vitest'
import { readDockerfile } from '../support/dockerfile.ts'
import { hasTool } from '../support/found-tool.ts'
import { brokerOf, renderManifests } from '../support/manifests.ts'
import { startPod } from '../support/pod.ts'
import { runChancery } from '../support/process.ts'
import { makeScratch } from '../support/scratch.ts'

const FILES = { '/run/secrets/chancery/cluster/ca.crt': '', '/run/secrets/chancery/cluster/token': 'x' }

const federation = (overlay: string): string =>
  new URL(`../../infra/kubernetes/${overlay}/federation`, import.meta.url).pathname

describe.skipIf(!hasTool('kubectl', 'the broker’s pod'))('the broker’s pod', () => {
  test.each(['base', 'overlays/eks', 'overlays/gke', 'overlays/aks'])(
    'becomes ready as %s has it, and seals the signing keys on its volume',
    async (overlay) => {
      const pod = await startPod(renderManifests(overlay), { files: FILES })

      const health = await fetch(`${pod.origin('http')}/healthz`)
      const metadata = await fetch(`${pod.origin('http')}/.well-known/oauth-authorization-server`)
      expect(health.status).toBe(200)
      expect(await metadata.json()).toMatchObject({ issuer: 'https://broker.corp.example' })
      expect(pod.running.err()).not.toContain('unencrypted')
      expect(statSync(pod.path('/var/lib/chancery/chancery.db')).isFile()).toBe(true)
    },
  )

  test('follows the mounted document without a restart', async () => {
    const pod = await startPod(renderManifests('base'), { files: FILES })
    const digests = (): string[] =>
      [...pod.running.err().matchAll(/"document":"(sha256:\w+)"/g)].map(([, it = '']) => it)
    const text = readFileSync(`${federation('base')}/platform.json`, 'utf8')

    pod.updateFederation({ 'platform.json': text.replaceAll('payments/api', 'payments/other') })

    await vi.waitFor(() => expect(new Set(digests()).size).toBe(2), { timeout: 10_000, interval: 50 })
    expect(pod.running.child.exitCode).toBeNull()
  })

  test('ends when it is told to, within the time that it is given', async () => {
    const manifests = renderManifests('base')
    const pod = await startPod(manifests, { files: FILES })
    const { terminationGracePeriodSeconds = 0 } = brokerOf(manifests).spec
    const preStop = brokerOf(manifests).container.lifecycle?.preStop?.sleep?.seconds ?? 0
    const started = Date.now()

    pod.running.child.kill('SIGTERM')

    expect((await pod.running.finished).code).toBe(0)
    expect((Date.now() - started) / 1_000 + preStop).toBeLessThan(terminationGracePeriodSeconds)
  })

  test('runs as the account that its image is made for', () => {
    const steps = readDockerfile(readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8'))
    const user = steps.find(({ instruction }) => instruction === 'USER')?.text
    const { runAsUser, runAsGroup } = brokerOf(renderManifests('base')).spec.securityContext ?? {}

    expect(`${runAsUser}:${runAsGroup}`).toBe(user)
  })

  test('does not start beyond loopback without the key that seals signing keys', async () => {
    const { container } = brokerOf(renderManifests('base'))
    const env = Object.fromEntries((container.env ?? []).map(({ name, value = '' }) => [name, value]))
    const { CHANCERY_KEY_ENCRYPTION_KEY_FILE: _, ...others } = env

    const ended = await runChancery(container.args ?? [], { ...others, CHANCERY_SECRETS_DIR: makeScratch() })

    expect(ended.code).toBe(2)
    expect(ended.err).toContain('CHANCERY_KEY_ENCRYPTION_KEY')
  })
})

test.each(['base', 'overlays/eks', 'overlays/gke', 'overlays/aks'])(
  'the sample document of %s is sound',
  async (overlay) => {
    const { code, out } = await runChancery(['check', '--json', federation(overlay)])

    expect([code, JSON.parse(out)]).toEqual([0, []])
  },
)
