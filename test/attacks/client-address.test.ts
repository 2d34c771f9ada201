/** Whose address a record names: the last hop that somebody we trust has seen. */

import { afterEach, expect, test } from 'vitest'
import { SettingsError } from '../../providers/contract/errors.ts'
import { type Flags, readServeConfig } from '../../src/config.ts'
import { formOf } from '../support/broker.ts'
import { BROKER } from '../support/document.ts'
import { sendRaw } from '../support/raw-http.ts'
import { openScene, type Scene } from '../support/scene.ts'

/** Every test speaks from here: directly, or as the proxy that is nearest to the broker. */
const PEER = '127.0.0.1'

let scene: Scene | undefined
afterEach(async () => {
  await scene?.close()
  scene = undefined
})

async function openBehind(...proxies: readonly string[]): Promise<Scene> {
  scene = await openScene({ broker: { flags: { 'trusted-proxy': proxies } } })
  return scene
}

/** Sends a request with these header fields, as they are and in their order, and gives the address that was recorded. */
async function recordedBy({ broker }: Scene, ...fields: readonly string[]): Promise<string | null | undefined> {
  const all = ['Host: b', 'Content-Type: application/x-www-form-urlencoded', 'Connection: close', ...fields]
  const [reply] = await sendRaw(
    broker.origin,
    `POST /token HTTP/1.1\r\n${all.map((field) => `${field}\r\n`).join('')}Content-Length: 0\r\n\r\n`,
  )
  return broker.records().find(({ request_id: id }) => id === reply?.requestId)?.client_address
}

/** What stands in `X-Forwarded-For`, and the address that is recorded. */
type Case = readonly [string, string]

test('OPS-06 without a trusted proxy nothing that a caller writes is believed', async () => {
  const opened = await openBehind()
  const fields = [
    'X-Forwarded-For: 1.2.3.4',
    'X-Forwarded-For: 127.0.0.1, 10.0.0.1',
    'Forwarded: for=1.2.3.4',
    'X-Real-IP: 1.2.3.4',
    'X-Client-IP: 1.2.3.4',
    'True-Client-IP: 1.2.3.4',
    'CF-Connecting-IP: 1.2.3.4',
    'X-Forwarded-For:',
  ]

  for (const field of fields) expect(await recordedBy(opened, field)).toBe(PEER)
  expect(await recordedBy(opened, ...fields.slice(2))).toBe(PEER)
  expect(await recordedBy(opened)).toBe(PEER)
})

test('OPS-06 without being among the trusted networks a peer is not a proxy', async () => {
  const opened = await openBehind('10.0.0.0/8', '127.0.0.2/32', '::1/128', '127.0.0.128/25')

  expect(await recordedBy(opened, 'X-Forwarded-For: 1.2.3.4')).toBe(PEER)
})

const ONE_PROXY: readonly Case[] = [
  ['198.51.100.7', '198.51.100.7'],
  [' 198.51.100.7 ', '198.51.100.7'],
  ['1.2.3.4, 198.51.100.7', '198.51.100.7'],
  ['1.2.3.4,5.6.7.8,198.51.100.7', '198.51.100.7'],
  ['127.0.0.1, 198.51.100.7', '198.51.100.7'],
  ['198.51.100.7, 127.0.0.1', '198.51.100.7'],
  ['2001:db8::7', '2001:db8::7'],
  ['1.2.3.4, 2001:db8::7', '2001:db8::7'],
  ['::ffff:198.51.100.7', '198.51.100.7'],
  ['1.2.3.4, ::ffff:127.0.0.1', '1.2.3.4'],
  ['127.0.0.1', '127.0.0.1'],
  ['', PEER],
  [',', PEER],
  ['unknown', PEER],
  ['_hidden', PEER],
  ['198.51.100.7, unknown', PEER],
  ['198.51.100.7,', PEER],
  ['198.51.100.7:4711', '198.51.100.7'],
  ['1.2.3.4:80, 198.51.100.7:4711', '198.51.100.7'],
  ['[2001:db8::7]:4711', '2001:db8::7'],
  ['198.51.100.7:', PEER],
  ['198.51.100.7:123456', PEER],
  ['198.51.100.007', PEER],
  ['198.51.100', PEER],
  ['0x7f.1', PEER],
  ['2130706433', PEER],
  ['198.51.100.7/32', PEER],
  ['"198.51.100.7"', PEER],
  ['<script>', PEER],
  ['\u001b[31m', PEER],
  ['{"a":1}', PEER],
  ['1'.repeat(8_000), PEER],
  [`${'1.2.3.4, '.repeat(1_000)}198.51.100.7`, '198.51.100.7'],
]

test('OPS-06 through one trusted proxy the last address is believed, and no other', async () => {
  const opened = await openBehind('127.0.0.1')

  for (const [forwardedFor, expected] of ONE_PROXY) {
    // What is no legal header field never reaches the application.
    const recorded = await recordedBy(opened, `X-Forwarded-For: ${forwardedFor}`)
    expect([forwardedFor, recorded === undefined ? PEER : recorded]).toEqual([forwardedFor, expected])
  }
})

test('OPS-06 several header fields are one list, in their order', async () => {
  const opened = await openBehind('127.0.0.1')

  const own = await recordedBy(opened, 'X-Forwarded-For: 1.2.3.4', 'X-Forwarded-For: 198.51.100.7')
  const swapped = await recordedBy(opened, 'X-Forwarded-For: 198.51.100.7', 'x-forwarded-for: 1.2.3.4')

  expect([own, swapped]).toEqual(['198.51.100.7', '1.2.3.4'])
})

const TWO_PROXIES: readonly Case[] = [
  ['198.51.100.7, 10.0.0.5', '198.51.100.7'],
  ['1.2.3.4, 198.51.100.7, 10.0.0.5', '198.51.100.7'],
  ['10.0.0.9, 198.51.100.7, 10.0.0.5', '198.51.100.7'],
  ['198.51.100.7, 2001:db8:1::5', '198.51.100.7'],
  ['198.51.100.7, ::ffff:10.0.0.5', '198.51.100.7'],
  ['198.51.100.7, 11.0.0.5', '11.0.0.5'],
  ['198.51.100.7, 2001:db8:2::5', '2001:db8:2::5'],
  ['198.51.100.7', '198.51.100.7'],
  ['10.0.0.7, 10.0.0.5', '10.0.0.7'],
  ['unknown, 10.0.0.5', '10.0.0.5'],
  ['198.51.100.7, unknown, 10.0.0.5', '10.0.0.5'],
  ['198.51.100.7, , 10.0.0.5', '10.0.0.5'],
  ['1.2.3.4, fe80::1%eth0', '1.2.3.4'],
]

test('OPS-06 through two trusted proxies what the first of them saw is believed', async () => {
  const opened = await openBehind('127.0.0.0/8', '10.0.0.0/8', '2001:db8:1::/48', 'fe80::/10')

  for (const [forwardedFor, expected] of TWO_PROXIES) {
    const recorded = await recordedBy(opened, `X-Forwarded-For: ${forwardedFor}`)
    expect([forwardedFor, recorded]).toEqual([forwardedFor, expected])
  }
})

test('OPS-06 a record of a token names the same address as one of a refusal', async () => {
  const opened = await openBehind('127.0.0.1')
  const send = async (token: string) => {
    opened.broker.watch(token)
    const headers = { 'x-forwarded-for': '198.51.100.7' }
    return await opened.broker.send('/token', { method: 'POST', body: formOf(token), headers })
  }

  const replies = [await send(await opened.proof()), await send('garbage')]

  expect(replies.map(({ status }) => status)).toEqual([200, 400])
  expect(opened.broker.records().map(({ client_address: address }) => address)).toEqual([
    '198.51.100.7',
    '198.51.100.7',
  ])
})

test('OPS-06 a network that is not one stops the boot', () => {
  const wrong = [
    '10.0.0.0/33',
    '10.0.0/8',
    'proxy.example',
    '*',
    '0.0.0.0/-1',
    '10.0.0.0/8/8',
    '::/129',
    '',
    ' ',
    '10.0.0.0/',
  ]
  for (const network of wrong) {
    const flags: Flags = { issuer: BROKER, federation: '/nowhere', 'trusted-proxy': [network] }

    expect([network, problemsOf(flags)]).toEqual([network, ['--trusted-proxy']])
  }
})

/** Gives the names of the settings that stop a boot. */
function problemsOf(flags: Flags): readonly string[] {
  try {
    readServeConfig(flags, {})
    return []
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    return error.problems.map(({ path }) => path.join('.'))
  }
}
