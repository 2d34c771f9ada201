/** Where the keys of Google's identity tokens are, and how long they are remembered. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { GOOGLE_KEYS_URL, gcpVerifier } from '../../providers/gcp/verifier.ts'
import { createBareVerifier } from '../support/bare-verifier.ts'
import { createTestClock } from '../support/clock.ts'
import { ACCOUNT_EMAIL, createGoogle, type Google } from '../support/google-tokens.ts'
import { type KeyHosts, startKeyHosts } from '../support/key-hosts.ts'
import { createTestPorts, type TestPorts } from '../support/provider-ports.ts'

const clock = createTestClock()
let google: Google
let hosts: KeyHosts
beforeAll(async () => {
  google = await createGoogle(clock.now)
  hosts = await startKeyHosts(['www.googleapis.com', 'mirror.example', 'mirror.corp.internal'])
})
afterAll(() => hosts.close())

const CA = { ca_file: 'ca.pem' }
const verifierOf = (settings: object, from: TestPorts) =>
  createBareVerifier(gcpVerifier, { google: settings }, { ports: from })

test('keys are Google’s own, asked for where they are and for no issuer but Google', async () => {
  const from = createTestPorts({ clock, ...hosts.ports })
  const { verify, codeOf: code, inspect: inspected } = verifierOf(CA, from)
  hosts.publish(GOOGLE_KEYS_URL, google.key.jwk)
  const self = { iss: ACCOUNT_EMAIL, sub: ACCOUNT_EMAIL, email: ACCOUNT_EMAIL }
  const before = hosts.urls().length

  expect(await code(await google.sign(self))).toBe('issuer_not_trusted')
  inspected(await google.sign())
  expect(hosts.urls().length).toBe(before)
  expect((await verify(await google.sign())).trustedIssuer).toBe('google')
  expect(hosts.urls().slice(before)).toEqual(['https://www.googleapis.com/oauth2/v3/certs'])
})

test('keys outlive a verifier, but not the URL that they are from', async () => {
  const from = createTestPorts({ clock, ...hosts.ports })
  const url = 'https://mirror.example/certs'
  hosts.publish(GOOGLE_KEYS_URL, google.key.jwk)
  hosts.publish(url, google.key.jwk)
  const before = hosts.urls().length

  for (const settings of [CA, CA, { ...CA, keys: { from: 'url', url } }, CA]) {
    await verifierOf(settings, from).verify(await google.sign())
  }

  expect(hosts.urls().slice(before)).toEqual([GOOGLE_KEYS_URL, url])
})

test('keys at a private host are asked for where the document names it, under the trusted issuer’s name', async () => {
  const from = createTestPorts({ clock, ...hosts.ports })
  const url = 'https://mirror.corp.internal/certs'
  hosts.publish(url, google.key.jwk)
  const settings = { ...CA, keys: { from: 'url', url }, private_hosts: ['mirror.corp.internal'] }

  expect((await verifierOf(settings, from).verify(await google.sign())).trustedIssuer).toBe('google')
  expect(from.events).toMatchObject([{ kind: 'upstream', trustedIssuer: 'google', outcome: '2xx' }])
})
