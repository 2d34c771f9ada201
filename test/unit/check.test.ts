/** What `chancery check` says of several documents, and how it ends. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { check } from '../../src/cli/check.ts'
import { UsageError } from '../../src/cli/exit.ts'
import { documentFor } from '../support/document.ts'
import { CLUSTER, identityOf } from '../support/federation-parts.ts'
import { makeScratch } from '../support/scratch.ts'
import { type Files, platformFor, teamFor, textOf } from '../support/team-documents.ts'

const REACHING = teamFor('payments', { identities: { 'payments/api': identityOf(), 'orders/api': identityOf() } })

function makeDirectory(files: Files): string {
  const directory = join(makeScratch(), 'teams')
  mkdirSync(directory)
  for (const [name, document] of Object.entries(files)) {
    const text = textOf(document)
    writeFileSync(join(directory, name), name.endsWith('.gz') ? gzipSync(text) : text)
  }
  return directory
}

/** Gives the exit code and all that is printed, with the directory's own path cut off. */
async function run(path: string, options: { json?: boolean; secretsDir?: string } = {}) {
  const written: string[] = []
  const terminal = { out: (text: string) => void written.push(text), err: (text: string) => void written.push(text) }
  const code = await check(path, { insecureHost: [], ...options }, terminal)
  return { code, text: written.join('').replaceAll(`${path}/`, '').replaceAll(path, 'teams') }
}

test('good documents can be used', async () => {
  const directory = makeDirectory({ 'platform.json.gz': platformFor(CLUSTER), 'payments.json': teamFor('payments') })

  expect(await run(directory)).toEqual({ code: 0, text: 'teams: can be used: 0 errors, 0 warnings\n' })
})

test('a broken team document is told by file and path, and the others can be used', async () => {
  const files = { 'platform.json': platformFor(CLUSTER), 'payments.json': REACHING, 'orders.json': teamFor('orders') }

  expect(await run(makeDirectory(files))).toEqual({
    code: 1,
    text:
      'error: payments.json /identities/orders~1api: identities of payments are named payments/… [identity_outside_delegation]\n' +
      'teams: can be used, but for payments.json: 1 error, 0 warnings\n',
  })
})

test('with a broken platform document nothing can be used', async () => {
  const { code, text } = await run(makeDirectory({ 'platform.json': {}, 'payments.json': teamFor('payments') }))

  expect(code).toBe(1)
  expect(text).toMatch(/^error: platform\.json \/version: /)
  expect(text).toMatch(/\nteams: is refused: \d errors, 0 warnings\n$/)
})

test('a program reads each finding with its file and its path', async () => {
  const directory = makeDirectory({ 'platform.json': platformFor(CLUSTER), 'payments.json': REACHING })
  const { code, text } = await run(directory, { json: true })

  expect(code).toBe(1)
  expect(JSON.parse(text)).toEqual([
    {
      severity: 'error',
      file: 'payments.json',
      path: '/identities/orders~1api',
      code: 'identity_outside_delegation',
      message: expect.any(String),
    },
  ])
})

test('files that the platform document names are looked for where they must lie', async () => {
  const keys = { from: 'discovery' }
  const issuer = {
    provider: 'kubernetes',
    issuers: [CLUSTER],
    keys,
    ca_file: 'cluster-ca.pem',
    private_hosts: ['cluster.example'],
  }
  const directory = makeDirectory({ 'platform.json': documentFor(CLUSTER, { trusted_issuers: { cluster: issuer } }) })
  const secretsDir = makeScratch()

  const without = await run(directory, { secretsDir })
  writeFileSync(join(secretsDir, 'cluster-ca.pem'), '')
  const withFile = await run(directory, { secretsDir })

  expect(without.code).toBe(1)
  expect(without.text).toMatch(
    /^error: platform\.json \/trusted_issuers\/cluster\/ca_file: .*\[file_missing\]\nteams: is refused: /,
  )
  expect(withFile).toEqual({ code: 0, text: 'teams: can be used: 0 errors, 0 warnings\n' })
})

test('there must be something at the path', async () => {
  await expect(run(join(makeScratch(), 'nowhere'))).rejects.toThrow(UsageError)
})

test('a name of a document ends no line of what is told, and commands no terminal', async () => {
  const { text } = await run(
    makeDirectory({ 'platform.json': { ...platformFor(CLUSTER), 'a\r\n\u001b[2Jé\u202e': 1 } }),
  )

  expect(text).toContain(': there is no such member: a\\u000d\\u000a\\u001b[2Jé\\u202e [member_unknown]\n')
  expect(text.replaceAll('\n', '')).not.toMatch(/\p{C}/u)
})
