/** What a caller is answered by a service behind our middleware: RFC 6750, the same in every framework. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SettingsError } from '../../providers/contract/errors.ts'
import { createTestIssuer, type TestIssuer } from '../../src/verify/testing.ts'
import { createVerifier, type Verifier } from '../../src/verify/verifier.ts'
import { sendRaw } from '../support/raw-http.ts'
import { openVerifyBench, type VerifyBench } from '../support/verify-bench.ts'
import { SERVICES, type Service } from '../support/verify-services.ts'

let issuer: TestIssuer
let bench: VerifyBench

beforeAll(async () => {
  issuer = await createTestIssuer({ audience: 'ledger' })
  bench = await openVerifyBench()
})
afterAll(() => bench.close())

const CHALLENGE = 'Bearer realm="ledger"'

describe.each(SERVICES)('%s', (_, start) => {
  let service: Service
  let token: string
  const observed: string[] = []

  beforeAll(async () => {
    service = await start(issuer.verifier, { observe: (error) => void observed.push(error.code) })
    token = await issuer.token({ identity: 'payments/api', scopes: ['entries:read'] })
  })
  afterAll(() => service.close())

  const get = async (authorization?: string, path = '/') => {
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization }
    const response = await fetch(service.origin + path, { headers })
    return {
      response,
      status: response.status,
      challenge: response.headers.get('www-authenticate'),
      text: await response.text(),
    }
  }

  test.each(['Bearer', 'bearer', 'BEARER', 'Bearer  '])(
    'lets %s and a token pass, and tells who it is',
    async (scheme) => {
      expect(await get(`${scheme} ${token}`)).toMatchObject({ status: 200, challenge: null, text: 'payments/api' })
    },
  )

  test('answers no credentials, and those of another scheme, with a bare challenge', async () => {
    const before = service.handled()
    for (const authorization of [undefined, 'Basic dTpw', `Token ${token}`, token, `Bearer${token}`, 'DPoP x']) {
      expect(await get(authorization)).toMatchObject({ status: 401, challenge: CHALLENGE, text: '' })
    }
    expect(service.handled()).toBe(before)
  })

  test('takes a token from nowhere but the header', async () => {
    const inBody = await fetch(service.origin, { method: 'POST', body: new URLSearchParams({ access_token: token }) })

    expect(inBody.status).toBe(401)
    expect(await get(undefined, `/?access_token=${token}`)).toMatchObject({ status: 401, challenge: CHALLENGE })
  })

  test('answers a header that holds no one token with invalid_request', async () => {
    const challenge = `${CHALLENGE}, error="invalid_request", error_description="the Authorization header must hold one token, once"`
    for (const value of ['Bearer', `Bearer ${token} x`, `Bearer ${token},Bearer ${token}`, 'Bearer "x"', 'Bearer =']) {
      expect(await get(value)).toMatchObject({ status: 400, challenge })
    }
  })

  test.each(['Authorization', 'authorization'])('answers a second header %s with invalid_request', async (name) => {
    const [reply] = await sendRaw(
      service.origin,
      `GET / HTTP/1.1\r\nHost: ledger\r\nAuthorization: Bearer ${token}\r\n${name}: Bearer ${token}\r\nConnection: close\r\n\r\n`,
    )

    expect(reply?.status).toBe(400)
    expect(reply?.headers.get('www-authenticate')).toContain('error="invalid_request"')
  })

  test('answers a refused token with invalid_token, why, and no part of it', async () => {
    const expired = await issuer.token({ identity: 'payments/api', isExpired: true })
    const before = service.handled()
    const reply = await get(`Bearer ${expired}`)

    expect(reply).toMatchObject({
      status: 401,
      challenge: `${CHALLENGE}, error="invalid_token", error_description="the token has expired"`,
      text: '{"error":"invalid_token","error_description":"the token has expired"}',
    })
    expect(reply.response.headers.get('content-type')).toMatch(/^application\/json(; charset=utf-8)?$/)
    expect(service.handled()).toBe(before)
    expect(observed.at(-1)).toBe('token_expired')
  })

  test('answers a missing scope with insufficient_scope, and which it is', async () => {
    const challenge = `${CHALLENGE}, scope="entries:write", error="insufficient_scope", error_description="the token lacks a scope that is required"`
    const writer = await issuer.token({ identity: 'payments/api', scopes: ['entries:read', 'entries:write'] })

    expect(await get(`Bearer ${token}`, '/write')).toMatchObject({ status: 403, challenge })
    expect(await get(`Bearer ${writer}`, '/write')).toMatchObject({ status: 200, text: 'payments/api' })
  })

  test('answers 503 while the keys cannot be had, which is no challenge', async () => {
    bench.answer((_request, response) => void response.writeHead(500).end())
    const down = await start(bench.verifier())
    const response = await fetch(down.origin, { headers: { authorization: `Bearer ${bench.token()}` } })
    await down.close()

    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('1')
    expect(response.headers.get('www-authenticate')).toBeNull()
    expect(await response.json()).toEqual({
      error: 'temporarily_unavailable',
      error_description: 'the token cannot be checked now',
    })
    expect(down.handled()).toBe(0)
  })

  test('names the realm that it is given', async () => {
    const named = await start(issuer.verifier, { realm: 'the "big" \\ ledger' })
    const response = await fetch(named.origin)
    await named.close()

    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="the \\"big\\" \\\\ ledger"')
  })

  test('hands a bug on to the framework', async () => {
    const broken: Verifier = { ...issuer.verifier, verify: () => Promise.reject(new Error('a bug')) }
    const failing = await start(broken)
    const response = await fetch(failing.origin, { headers: { authorization: `Bearer ${token}` } })
    await failing.close()

    expect(response.status).toBe(500)
    expect(failing.handled()).toBe(0)
  })

  test('refuses a realm that cannot stand in a header', async () => {
    await expect(start(issuer.verifier, { realm: 'a\r\nb' })).rejects.toThrow(SettingsError)
    const odd = createVerifier({ ...issuer.settings, audience: 'hauptbuch–ä' })
    await expect(start(odd)).rejects.toThrow(SettingsError)
    await expect(start(issuer.verifier, { scope: 'a"b' })).rejects.toThrow(SettingsError)
  })
})

test.each(SERVICES.filter(([name]) => name !== 'hono'))(
  '%s: asking who called where nobody looked is a bug, not an answer',
  async (_, start) => {
    const service = await start(issuer.verifier)
    const token = await issuer.token({ identity: 'payments/api' })
    const response = await fetch(`${service.origin}/open`, { headers: { authorization: `Bearer ${token}` } })
    await service.close()

    expect(response.status).toBe(500)
  },
)
