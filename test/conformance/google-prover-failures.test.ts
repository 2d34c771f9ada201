/** The prover of Google Cloud when Google's side fails: an error of ours, with a code, and never a wait beyond the signal. */

import { inspect } from 'node:util'
import { gcpMetadata } from 'google-auth-library'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { gcpProver } from '../../providers/gcp/prover.ts'
import { type GoogleStandIn, startGoogleStandIn } from '../../providers/gcp/stand-in/stand-in.ts'
import { environmentOf } from '../../providers/gcp/stand-in/stand-in-provider.ts'
import { lendEnvironment } from '../../providers/kit/stand-in-environment.ts'
import type { Failure } from '../../providers/kit/stand-in-server.ts'
import { rejection } from '../support/rejection.ts'

const TARGET = 'deploy@prod-123456.iam.gserviceaccount.com'
const IDENTITY_PATH = '/computeMetadata/v1/instance/service-accounts/default/identity'
const IAM_PATH = `/v1/projects/-/serviceAccounts/${TARGET}:generateIdToken`
const NEVER = new AbortController().signal
let cloud: GoogleStandIn
let giveBack: () => void

beforeEach(async () => {
  cloud = await startGoogleStandIn()
  giveBack = lendEnvironment(environmentOf(cloud.host))
  cloud.createServiceAccount(TARGET)
})
afterEach(async () => {
  giveBack()
  await cloud.close()
})

function prove(settings: object = {}, signal: AbortSignal = NEVER) {
  const ports = { env: {}, readFile: async () => '', now: () => 0 }
  return gcpProver.createProver(settings, ports).prove({ proofAudience: 'https://broker.example' }, signal)
}
const impersonate = (signal?: AbortSignal) => prove({ service_account: TARGET, iam_endpoint: cloud.origin }, signal)

const GOOGLE = { 'metadata-flavor': 'Google' }

test.each<[string, Failure, string]>([
  ['is down', 'down', 'upstream_unreachable'],
  ['sends elsewhere', 'redirecting', 'upstream_unreachable'],
  ['is not Google’s', 'wrong', 'upstream_unreachable'],
  ['has no account', { status: 404, headers: GOOGLE }, 'upstream_status'],
  ['is out of order', { status: 500, headers: GOOGLE }, 'upstream_status'],
  ['gives an object', { status: 200, headers: GOOGLE, body: { token: 'x' } }, 'upstream_malformed'],
  ['gives what is no token', { status: 200, headers: GOOGLE, body: 'no token' }, 'proof_malformed'],
  ['gives nothing', { status: 200, headers: GOOGLE }, 'proof_malformed'],
])('ends in an error when the metadata server %s', async (_, failure, code) => {
  cloud.fail(IDENTITY_PATH, failure)

  expect((await rejection(prove())).code).toBe(code)
})

test.each<[string, Failure, string]>([
  ['is down', 'down', 'upstream_unreachable'],
  ['says something else', 'wrong', 'upstream_malformed'],
  ['is out of order', { status: 503 }, 'upstream_status'],
])('ends in an error when impersonation %s', async (_, failure, code) => {
  cloud.allowImpersonation(cloud.workload.account, TARGET)
  cloud.fail(IAM_PATH, failure)

  expect((await rejection(impersonate())).code).toBe(code)
})

test('says with which status impersonation was refused, and nothing of the access token', async () => {
  const refusal = await rejection(impersonate())

  expect(refusal).toMatchObject({ code: 'upstream_status', facts: { status: 403 } })
  expect(cloud.requests.at(-1)?.headers.authorization).toMatch(/^Bearer ya29\./)
  expect(inspect(refusal, { depth: null })).not.toContain('ya29.')
})

test.each([
  ['the metadata server', IDENTITY_PATH, prove.bind(undefined, {})],
  ['impersonation', IAM_PATH, impersonate],
] as const)('stops waiting for %s when the signal says so', async (_, path, act) => {
  cloud.allowImpersonation(cloud.workload.account, TARGET)
  cloud.fail(path, 'slow')
  const controller = new AbortController()

  const refusal = rejection(act(controller.signal))
  await vi.waitUntil(() => cloud.requests.some((request) => request.path === path))
  controller.abort()

  expect((await refusal).code).toBe('upstream_timeout')
})

test('asks nobody when the signal has already said so', async () => {
  expect((await rejection(prove({}, AbortSignal.abort()))).code).toBe('upstream_timeout')
  expect(cloud.requests).toEqual([])
})

test('leaves nothing behind on a signal that outlives it', async () => {
  const { signal } = new AbortController()
  const remove = vi.spyOn(signal, 'removeEventListener')

  await prove({}, signal)

  expect(remove).toHaveBeenCalledWith('abort', expect.any(Function))
})

test('finds a metadata server that was not up when it was first asked for', async () => {
  vi.stubEnv('METADATA_SERVER_DETECTION', 'ping-only')
  gcpMetadata.setGCPResidency(false)
  cloud.fail('*', { status: 404 })

  expect((await rejection(prove())).code).toBe('upstream_unreachable')
  cloud.recover()
  await expect(prove()).resolves.toBeDefined()
  gcpMetadata.setGCPResidency()
})
