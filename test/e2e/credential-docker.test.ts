/** `chancery credential docker`, started by Docker's client before a registry. Its daemon is not needed for that. */

import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { StandInAnswer, StandInRequest } from '../../providers/kit/stand-in-server.ts'
import { type AskingServer, startAskingServer } from '../support/asking-server.ts'
import { snippetOf } from '../support/credential-page.ts'
import { type CredentialScene, openCredentialScene } from '../support/credential-scene.ts'
import { hasTool } from '../support/found-tool.ts'
import type { Finished } from '../support/process.ts'

const MANIFEST_TYPE = 'application/vnd.docker.distribution.manifest.v2+json'

const IMAGE_CONFIG = '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}'

let scene: CredentialScene
let registry: AskingServer
let challenge = 'Basic realm="registry"'
beforeAll(async () => {
  scene = await openCredentialScene()
  registry = await startAskingServer(scene.directory, answerAsRegistry)
})
afterAll(async () => {
  await registry.close()
  await scene.close()
})

/** A registry of one image without layers, and the token service that some have beside them. */
function answerAsRegistry({ path, headers }: StandInRequest): StandInAnswer {
  if (path === '/token') return { status: 200, body: { access_token: 'of-the-registry', expires_in: 300 } }
  if (headers.authorization === undefined) return { status: 401, headers: { 'www-authenticate': challenge } }
  if (path === '/v2/') return { status: 200, body: {} }
  if (path.includes('/blobs/')) return { status: 200, body: IMAGE_CONFIG }
  const digest = `sha256:${createHash('sha256').update(IMAGE_CONFIG).digest('hex')}`
  const config = { mediaType: 'application/vnd.docker.container.image.v1+json', size: IMAGE_CONFIG.length, digest }
  const body = { schemaVersion: 2, mediaType: MANIFEST_TYPE, config, layers: [] }
  return { status: 200, headers: { 'content-type': MANIFEST_TYPE }, body }
}

async function inspect(env: Record<string, string>): Promise<Finished> {
  const config = join(scene.directory, 'docker')
  mkdirSync(config, { recursive: true })
  writeFileSync(join(config, 'config.json'), snippetOf('Docker', 'json', { 'registry.corp.example': registry.host }))
  return await scene.run(
    ['docker', '--config', config, 'manifest', 'inspect', '--insecure', `${registry.host}/team/one:1`],
    {
      env: { SSL_CERT_FILE: registry.authorityFile, DOCKER_HOST: 'unix:///nonexistent', ...env },
    },
  )
}

const docker = hasTool('docker', 'credentials for Docker')

test.skipIf(!docker)('Docker brings a token for a password to the registry that was named', async () => {
  challenge = 'Basic realm="registry"'

  const { code, err } = await inspect({
    CHANCERY_CREDENTIAL_HOSTS: `${registry.host}=registry`,
    CHANCERY_CREDENTIAL_USERNAME: 'oauth2accesstoken',
  })

  expect({ code, err }).toEqual({ code: 0, err: '' })
  const [, basic = ''] = /^Basic (\S+)$/.exec(registry.authorizations.at(-1) ?? '') ?? []
  const [username, password = ''] = Buffer.from(basic, 'base64').toString().split(':')
  expect(username).toBe('oauth2accesstoken')
  expect(decodeJwt(password)).toMatchObject({ aud: 'registry', client_id: 'payments/api' })
})

test('the page links the command where Docker looks, and names its registries', async () => {
  const link = join(scene.directory, 'docker-credential-chancery')
  const replaced = {
    '/usr/local/bin/docker-credential-chancery': link,
    'https://broker.corp.example': scene.broker.origin,
  }
  const script = `${snippetOf('Docker', 'sh', replaced)}\n${link} list`

  expect(await scene.run(['sh', '-e', '-c', script])).toEqual({
    code: 0,
    out: '{"registry.corp.example":"<token>"}\n',
    err: '',
  })
})

test.skipIf(!docker)('Docker hands an identity token to the registry’s token service', async () => {
  challenge = `Bearer realm="${registry.origin}/token",service="registry"`

  const { code, err } = await inspect({ CHANCERY_CREDENTIAL_HOSTS: `${registry.host}=registry` })

  expect({ code, err }).toEqual({ code: 0, err: '' })
  const asked = new URLSearchParams(registry.requests.find(({ path }) => path === '/token')?.body)
  expect(asked.get('grant_type')).toBe('refresh_token')
  expect(decodeJwt(asked.get('refresh_token') ?? '')).toMatchObject({ aud: 'registry' })
  expect(registry.authorizations.at(-1)).toBe('Bearer of-the-registry')
})

test.skipIf(!docker)('Docker goes to another registry without one', async () => {
  const before = registry.requests.length

  await inspect({ CHANCERY_CREDENTIAL_HOSTS: 'registry.corp.example=registry' })

  expect(registry.requests.length).toBeGreaterThan(before)
  const texts = registry.requests.slice(before).map(({ headers, body }) => `${headers.authorization ?? ''}${body}`)
  expect(texts.join('')).not.toContain('eyJ')
})

test('answers in the words that Docker’s client knows', async () => {
  const env = { CHANCERY_CREDENTIAL_HOSTS: 'registry.corp.example=registry,index.docker.io=vault' }
  const ask = async (operation: string, input = '') =>
    await scene.run(['docker-credential-chancery', operation], { env, input })

  const { out } = await ask('get', 'https://registry.corp.example\n')
  const answer = JSON.parse(out) as Record<string, string>
  expect(Object.keys(answer)).toEqual(['ServerURL', 'Username', 'Secret'])
  expect(answer).toMatchObject({ ServerURL: 'https://registry.corp.example', Username: '<token>' })
  const notFound = { code: 1, out: 'credentials not found in native keychain\n', err: '' }
  expect(await ask('get', 'evil.example')).toEqual(notFound)
  expect(await ask('get', 'http://registry.corp.example')).toEqual(notFound)
  expect(await ask('get', '')).toEqual({ code: 1, out: 'no credentials server URL\n', err: '' })
  expect(await ask('list')).toEqual({
    code: 0,
    out: '{"registry.corp.example":"<token>","index.docker.io":"<token>"}\n',
    err: '',
  })
  for (const operation of ['store', 'erase']) {
    const refused = await ask(operation, '{"ServerURL":"registry.corp.example","Username":"u","Secret":"s"}')
    expect(refused, operation).toMatchObject({
      code: 1,
      out: expect.stringContaining('keeps no credentials') as string,
    })
  }
  const failed = await ask('get', 'https://index.docker.io/v1/')
  expect(failed).toMatchObject({ code: 1, out: expect.stringContaining('[target_refused]') as string, err: '' })
})
