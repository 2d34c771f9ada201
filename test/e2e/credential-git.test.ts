/** `chancery credential git`, asked by Git itself. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { startAskingServer } from '../support/asking-server.ts'
import { snippetOf } from '../support/credential-page.ts'
import { type CredentialScene, openCredentialScene } from '../support/credential-scene.ts'
import { hasTool } from '../support/found-tool.ts'
import type { Finished } from '../support/process.ts'

const hasGit = hasTool('git', 'credentials for Git')

let scene: CredentialScene
beforeAll(async () => {
  scene = await openCredentialScene()
})
afterAll(() => scene.close())

/** Asks Git for the credential of a URL, with only this helper configured, and nobody at a terminal. */
async function fill(helper: string, url: string, env: Record<string, string> = {}): Promise<Finished> {
  const quiet = { GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0', GIT_ASKPASS: '', ...env }
  return await scene.run(['git', '-c', `credential.helper=${helper}`, 'credential', 'fill'], {
    input: `url=${url}\n\n`,
    env: quiet,
  })
}

function attributes(text: string): Record<string, string> {
  return Object.fromEntries(
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split(/=(.*)/s) as [string, string]),
  )
}

test.skipIf(!hasGit)('gives a host that was named a token of its audience for a password', async () => {
  const config = join(scene.directory, 'gitconfig')
  writeFileSync(config, snippetOf('Git', 'ini', { 'https://broker.corp.example': scene.broker.origin }))
  const env = { GIT_CONFIG_GLOBAL: config, GIT_CONFIG_NOSYSTEM: '1', CHANCERY_BROKER: '' }

  const { code, out } = await scene.run(['git', 'credential', 'fill'], {
    input: 'url=https://git.corp.example/a.git\n\n',
    env,
  })

  const { username, password = '' } = attributes(out)
  expect({ code, username }).toEqual({ code: 0, username: 'oauth2' })
  expect(decodeJwt(password)).toMatchObject({ aud: 'git', client_id: 'payments/api' })
})

test.skipIf(!hasGit)('Git brings the token to the forge that it clones from', async () => {
  const challenge = { 'www-authenticate': 'Basic realm="forge"' }
  const forge = await startAskingServer(scene.directory, ({ headers }) =>
    headers.authorization === undefined ? { status: 401, headers: challenge } : { status: 404 },
  )
  onTestFinished(() => forge.close())
  const helper = `credential.helper=!chancery credential git --host ${forge.host}=git`

  await scene.run(
    ['git', '-c', helper, '-c', `http.sslCAInfo=${forge.authorityFile}`, 'ls-remote', `${forge.origin}/a.git`],
    {
      env: { GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0' },
    },
  )

  const [, basic = ''] = /^Basic (\S+)$/.exec(forge.authorizations[1] ?? '') ?? []
  const [username, password = ''] = Buffer.from(basic, 'base64').toString().split(':')
  expect(username).toBe('oauth2')
  expect(decodeJwt(password)).toMatchObject({ aud: 'git', client_id: 'payments/api' })
})

test.skipIf(!hasGit)('is found by the name that Git gives helpers, and set up by variables', async () => {
  const env = { CHANCERY_CREDENTIAL_HOSTS: 'git.corp.example=git,other.example', CHANCERY_CREDENTIAL_USERNAME: 'token' }

  const { out } = await fill('chancery', 'https://git.corp.example/a.git', env)

  const { username, password = '' } = attributes(out)
  expect(username).toBe('token')
  expect(decodeJwt(password).aud).toBe('git')
})

test.skipIf(!hasGit)(
  'gives no token to any other host, nor over plain http, and asks the broker for none',
  async () => {
    const before = scene.issued()
    for (const url of [
      'https://evil.example/a.git',
      'https://git.corp.example.evil.example/',
      'https://git.corp.example:8443/',
      'http://git.corp.example/',
    ]) {
      const { code, out, err } = await fill('!chancery credential git --host git.corp.example=git', url)

      expect(code, url).not.toBe(0)
      expect(out, url).not.toContain('password')
      expect(err, url).toContain('terminal prompts disabled')
    }
    expect(scene.issued()).toBe(before)
  },
)

test.skipIf(!hasGit)('makes Git stop, and says why, where the broker has no token for the host', async () => {
  const { code, out, err } = await fill(
    '!chancery credential git --host git.corp.example=vault',
    'https://git.corp.example/',
  )

  expect({ code, out }).toEqual({ code: 128, out: '' })
  expect(err).toContain('[target_refused]')
  expect(err).toContain('told us to quit')
})

test('keeps nothing: store and erase do nothing', async () => {
  for (const operation of ['store', 'erase', 'something-new']) {
    const done = await scene.run(['git-credential-chancery', operation], {
      input: 'protocol=https\nhost=git.corp.example\n\n',
    })

    expect(done, operation).toEqual({ code: 0, out: '', err: '' })
  }
})
