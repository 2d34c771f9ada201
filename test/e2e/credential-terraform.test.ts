/** `chancery credential terraform`, started by Terraform before a private module registry. */

import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { StandInAnswer, StandInRequest } from '../../providers/kit/stand-in-server.ts'
import { type AskingServer, bearerOf, startAskingServer } from '../support/asking-server.ts'
import { snippetOf } from '../support/credential-page.ts'
import { type CredentialScene, openCredentialScene } from '../support/credential-scene.ts'
import { hasTool } from '../support/found-tool.ts'
import type { Finished } from '../support/process.ts'

let scene: CredentialScene
let registry: AskingServer
beforeAll(async () => {
  scene = await openCredentialScene()
  registry = await startAskingServer(scene.directory, answerAsRegistry)
  // In the scene's home.
  expect((await scene.run(['sh', '-e', '-c', snippetOf('Terraform', 'sh', {})])).code).toBe(0)
})
afterAll(async () => {
  await registry.close()
  await scene.close()
})

/** A registry of one module, for whoever brings a token. */
function answerAsRegistry({ path, headers }: StandInRequest): StandInAnswer {
  if (path === '/.well-known/terraform.json') return { status: 200, body: { 'modules.v1': '/modules/' } }
  if (bearerOf(headers.authorization) === '') return { status: 401 }
  if (path.endsWith('/versions')) return { status: 200, body: { modules: [{ versions: [{ version: '1.0.0' }] }] } }
  return { status: 204, headers: { 'x-terraform-get': `file://${join(scene.directory, 'module')}` } }
}

/** Runs `terraform init` on a configuration that has its one module from the registry. */
async function init(helper: string, more: Record<string, string> = {}): Promise<Finished> {
  const cwd = mkdtempSync(join(scene.directory, 'root-'))
  mkdirSync(join(scene.directory, 'module'), { recursive: true })
  writeFileSync(join(scene.directory, 'module', 'main.tf'), 'output "found" { value = true }\n')
  writeFileSync(join(cwd, 'main.tf'), `module "one" { source = "${registry.host}/team/one/none" }\n`)
  writeFileSync(join(cwd, 'cli.tfrc'), helper)
  const env = {
    TF_CLI_CONFIG_FILE: join(cwd, 'cli.tfrc'),
    CHECKPOINT_DISABLE: '1',
    SSL_CERT_FILE: registry.authorityFile,
    ...more,
  }
  return await scene.run(['terraform', 'init', '-no-color'], { cwd, env })
}

const terraform = hasTool('terraform', 'credentials for Terraform')

test.skipIf(!terraform)('Terraform brings a token of the audience to the registry that was named', async () => {
  const replaced = { 'https://broker.corp.example': scene.broker.origin, 'registry.corp.example': registry.host }

  const { code, err } = await init(snippetOf('Terraform', 'hcl', replaced), { CHANCERY_BROKER: '' })

  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(decodeJwt(bearerOf(registry.authorizations.at(-1)))).toMatchObject({
    aud: 'registry',
    client_id: 'payments/api',
  })
})

test.skipIf(!terraform)('Terraform brings none to another', async () => {
  const before = { requests: registry.requests.length, issued: scene.issued() }

  const { code } = await init('credentials_helper "chancery" { args = ["--host=registry.corp.example"] }')

  expect(code).toBe(1)
  expect(registry.authorizations.slice(before.requests).join('')).toBe('')
  expect(scene.issued()).toBe(before.issued)
})

test.skipIf(!terraform)('Terraform goes without where the broker has none, and its log says why', async () => {
  const helper = `credentials_helper "chancery" { args = ["--host=${registry.host}=vault"] }`

  const { code, err } = await init(helper, { TF_LOG: 'warn' })

  expect(code).toBe(1)
  expect(err).toContain('target_refused')
})

test('has no token for a host that was not named, keeps nothing, and knows no other operation', async () => {
  const env = { CHANCERY_CREDENTIAL_HOSTS: 'registry.corp.example=registry' }
  const ask = async (...args: string[]) =>
    await scene.run(['terraform-credentials-chancery', ...args], { env, input: '{"token":"stored-secret"}' })

  expect(await ask('get', 'evil.example')).toEqual({ code: 0, out: '{}\n', err: '' })
  for (const operation of ['store', 'forget']) {
    const { code, out, err } = await ask(operation, 'registry.corp.example')
    expect({ code, out }, operation).toEqual({ code: 1, out: '' })
    expect(err).toMatch(/^chancery keeps no credentials: .*\n$/)
  }
  expect(await ask('list', 'registry.corp.example')).toMatchObject({
    code: 2,
    err: expect.stringContaining('"list"') as string,
  })
  expect(await ask('get')).toMatchObject({ code: 2, err: expect.stringContaining('for which host?') as string })
  expect(Object.keys(JSON.parse((await ask('get', 'registry.corp.example')).out) as object)).toEqual(['token'])
})
