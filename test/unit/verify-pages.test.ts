/** What the pages about the service's half show is what the code does: tables, and every line of every snippet. */

import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { MAX_TOKEN_LENGTH } from '../../src/verify/compact-token.ts'
import { FETCH_TIMEOUT_MILLISECONDS, MAX_KEY_SET_BYTES, MAX_KEYS } from '../../src/verify/fetch-keys.ts'
import { BELIEVED_SECONDS, FRESH_SECONDS, UNKNOWN_KEY_SECONDS, WAIT_SECONDS } from '../../src/verify/key-set.ts'
import { createTestIssuer, type TestIssuer, testPrincipal } from '../../src/verify/testing.ts'
import { CLOCK_SKEW_SECONDS, MAX_LIFETIME_SECONDS } from '../../src/verify/verifier.ts'
import { createApp as createExpressApp } from '../snippets/verify/express-service.ts'
import { createApp as createFastifyApp } from '../snippets/verify/fastify-service.ts'
import { askAsPayments } from '../snippets/verify/service-test.ts'
import { readPage, readSnippets, renderVerifyReadme, snippetsIn } from '../support/verify-readme.ts'

const PAGES = ['api-key', 'shared-hmac-secret', 'basic-auth', 'client-secret'] as const

describe('the README', () => {
  const readme = readPage('README.md')

  test('lists every code with its sentence', () => {
    expect(readme).toBe(renderVerifyReadme())
  })

  test('shows code that runs', () => {
    const files = snippetsIn('verify')

    expect([...readSnippets('README.md')].sort()).toEqual([...files].sort())
  })

  test('names every member of a principal', () => {
    const rows = [...readme.matchAll(/^\| `(\w+)` \| .* \| .* \|$/gm)].map(([, name]) => name)

    expect(rows).toEqual(Object.keys(testPrincipal({ identity: 'payments/api' })))
  })

  test('tells the limits that there are', () => {
    expect([MAX_TOKEN_LENGTH / 1_024, CLOCK_SKEW_SECONDS, MAX_LIFETIME_SECONDS / 3_600]).toEqual([16, 60, 1])
    expect([FRESH_SECONDS, WAIT_SECONDS, UNKNOWN_KEY_SECONDS, BELIEVED_SECONDS / 3_600]).toEqual([30, 60, 30, 1])
    expect([MAX_KEYS, MAX_KEY_SET_BYTES / 1_024, FETCH_TIMEOUT_MILLISECONDS / 1_000]).toEqual([32, 64, 5])
    for (const words of ['Size (16 KiB)', '60 s for clocks', '32 keys, 64 KiB, 5 s', 'believed for an hour']) {
      expect(readme).toContain(words)
    }
  })

  test('links to pages that are there', () => {
    const linked = [...readme.matchAll(/\(replacing\/([\w-]+)\.md\)/g)].map(([, page]) => page)
    const folder = readdirSync(new URL('../../src/verify/replacing', import.meta.url))

    expect(linked).toEqual(PAGES)
    expect(folder.sort()).toEqual(PAGES.map((page) => `${page}.md`).sort())
  })
})

describe('the services of the README', () => {
  const ask = async (origin: string, method: string, scopes: readonly string[], issuer: TestIssuer) => {
    const headers = { authorization: `Bearer ${await issuer.token({ identity: 'payments/api', scopes })}` }
    const response = await fetch(`${origin}/entries`, { method, headers })
    return [response.status, await response.json()]
  }

  test('let in who may come in, and tell who it is', async () => {
    const issuer = await createTestIssuer({ audience: 'ledger' })
    const inFastify = createFastifyApp(issuer.verifier)
    const inExpress = createServer(createExpressApp(issuer.verifier))
    await new Promise<void>((resolve) => inExpress.listen(0, '127.0.0.1', resolve))
    const origins = [
      await inFastify.listen({ port: 0, host: '127.0.0.1' }),
      `http://127.0.0.1:${(inExpress.address() as AddressInfo).port}`,
    ]

    for (const origin of origins) {
      expect(await ask(origin, 'GET', [], issuer)).toEqual([200, { caller: 'payments/api' }])
      expect(await ask(origin, 'POST', ['entries:read'], issuer)).toMatchObject([403, { error: 'insufficient_scope' }])
      expect(await ask(origin, 'POST', ['entries:write'], issuer)).toEqual([200, { written: true }])
    }
    expect((await askAsPayments()).status).toBe(200)
    await inFastify.close()
    inExpress.closeAllConnections()
    await new Promise((resolve) => inExpress.close(resolve))
  })
})

describe.each(PAGES)('the page about replacing: %s', (page) => {
  const own = (name: string): string =>
    readFileSync(new URL(`../snippets/replacing/${name}.ts`, import.meta.url), 'utf8').replace(/^.*\n\n/, '')

  test('shows code that runs, for the caller before and after, and for the service', () => {
    const [before, after, service, ...more] = readSnippets(`replacing/${page}.md`)

    expect(before).toBe(own(`${page}-caller-before`))
    expect(after).toBe(own('caller'))
    expect(service).toBe(own(`${page}-service`))
    expect(more).toEqual([])
  })
})
