/** `chancery verify` and `chancery decode`, with tokens of a real broker. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CredentialScene, openCredentialScene } from '../support/credential-scene.ts'
import type { Finished } from '../support/process.ts'

let scene: CredentialScene
let token: string
beforeAll(async () => {
  scene = await openCredentialScene()
  token = (await scene.run(['chancery', 'token', '--audience', 'ledger'])).out.trim()
})
afterAll(() => scene.close())

async function verify(args: readonly string[], input = '', env: Record<string, string> = {}): Promise<Finished> {
  return await scene.run(['chancery', 'verify', ...args], { input, env })
}

test('verifies a token, and says whose it is', async () => {
  const { code, out, err } = await verify([token, '--issuer', scene.broker.origin, '--audience', 'ledger'])

  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(out).toMatch(/^verified\n/)
  expect(out).toMatch(/^identity +payments\/api$/m)
  expect(out).toMatch(/^expires +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \(in 1[45] min\)$/m)
  expect(out).not.toContain(token.split('.')[2])
})

test('takes the token from standard input, bare or as a header has it, and its settings from the environment', async () => {
  for (const input of [token, `${token}\n`, `Bearer ${token}\r\n`]) {
    const { code, out } = await verify(['-', '--json'], input, { CHANCERY_AUDIENCE: 'ledger' })

    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      verified: true,
      identity: 'payments/api',
      spiffe_id: 'spiffe://corp.example/payments/api',
      scopes: [],
      claims: { aud: 'ledger' },
    })
  }
})

test('ends with 1 for a token that is refused, and says why without repeating it', async () => {
  const [header = '', claims = '', signature = ''] = token.split('.')
  const forged = `${header}.${claims}.${signature.replaceAll(/./g, 'A')}`
  const refused = [
    [await verify([forged, '--audience', 'ledger', '--json']), 'signature_invalid'],
    [await verify([token, '--audience', 'other', '--json']), 'audience_mismatch'],
    [await verify([token, '--audience', 'ledger', '--scope', 'entries:read', '--json']), 'scope_missing'],
    [await verify([token, '--audience', 'ledger', '--token-type', 'JWT', '--json']), 'type_not_accepted'],
    [await verify(['nonsense', '--audience', 'ledger', '--json']), 'token_malformed'],
  ] as const

  for (const [{ code, out, err }, reason] of refused) {
    expect(code, reason).toBe(1)
    expect(JSON.parse(out)).toMatchObject({ verified: false, code: reason })
    expect(err).toContain(`[${reason}]`)
    expect(out + err).not.toContain(claims)
  }
})

test('ends with 2 for a wrong setting, and with 3 where the keys cannot be had', async () => {
  const codes = [
    await verify([token]),
    await verify([token, '--audience', 'ledger', '--issuer', 'http://broker.example']),
    await verify(['-', '--audience', 'ledger'], ' \n'),
    await verify([token], '', { CHANCERY_BROKER: '' }),
    await verify([token, '--audience', 'ledger'], '', { CHANCERY_PROVIDER: 'oracle' }),
  ]
  expect(codes.map(({ code }) => code)).toEqual([2, 2, 2, 2, 2])
  expect(codes.map(({ err }) => err.match(/--[a-z]+|issuer|no token|CHANCERY_PROVIDER/)?.[0])).toEqual([
    ...['--audience', 'issuer', 'no token', '--issuer', 'CHANCERY_PROVIDER'],
  ])
  const [header = '', claims = '', signature = ''] = token.split('.')
  const issuer = 'http://127.0.0.1:9'
  const elsewhere = { ...(JSON.parse(Buffer.from(claims, 'base64url').toString()) as object), iss: issuer }
  const moved = `${header}.${Buffer.from(JSON.stringify(elsewhere)).toString('base64url')}.${signature}`

  expect(await verify([moved, '--audience', 'ledger', '--issuer', issuer])).toMatchObject({ code: 3, out: '' })
})

test('decodes a token with its times in words, says that nothing is verified, and keeps the signature to itself', async () => {
  const { code, out, err } = await scene.run(['chancery', 'decode', '-'], { input: token })

  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(out).toMatch(/^not verified/)
  expect(out).toContain('"sub": "spiffe://corp.example/payments/api"')
  expect(out).toMatch(/^ {2}exp +\d{4}-\S+Z \(in 1[45] min\)$/m)
  expect(out).not.toContain(token.split('.')[2])
  const json = JSON.parse((await scene.run(['chancery', 'decode', token, '--json'])).out) as object
  expect(json).toMatchObject({ verified: false, header: { typ: 'at+jwt' }, claims: { aud: 'ledger' } })
  expect(Object.keys(json)).toEqual(['verified', 'header', 'claims', 'times'])
})

test('decodes nothing that is not a JWT, and lets none of it command the terminal', async () => {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const nonsense = ['a.b.c', 'nonsense', `${part({})}.${part([])}.AA`, `${part({})}.${part({})}`, `${part({})}..AA`]
  for (const text of nonsense) {
    const { code, out, err } = await scene.run(['chancery', 'decode', text])
    expect({ code, out }, text).toEqual({ code: 1, out: '' })
    expect(err).toMatch(/^chancery: this is not a JWT/)
  }
  expect((await scene.run(['chancery', 'decode', ''])).code).toBe(2)
  const hostile = `${part({ alg: 'none' })}.${part({ sub: '\u009b31m\u202e\u001b]0;x', exp: 1e300 })}.`
  for (const args of [[hostile], [hostile, '--json']]) {
    const { code, out } = await scene.run(['chancery', 'decode', ...args])
    expect(code).toBe(0)
    expect(out.replaceAll('\n', '')).not.toMatch(/[^ -~]/)
    expect(out).toMatch(/exp.*not a time/)
  }
})
