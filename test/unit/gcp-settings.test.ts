/** What a document may say of Google, and that it says it once. */

import { describe, expect, test } from 'vitest'
import type { TrustedIssuer } from '../../providers/contract/provider.ts'
import { findGcpConflict, type GcpSettings, parseGcpSettings } from '../../providers/gcp/settings.ts'
import { gcpVerifier } from '../../providers/gcp/verifier.ts'
import { BROKER } from '../support/document.ts'
import { findingsIn, tell } from '../support/federation-parts.ts'
import { ACCOUNT_ID } from '../support/google-tokens.ts'
import { makeJwk } from '../support/key-issuer.ts'
import { problemsOf } from '../support/rejection.ts'

const [K1, K2] = [makeJwk('k1'), makeJwk('k2')]
const inline = (...keys: readonly object[]) => ({ from: 'inline', jwks: { keys } })

function parse(settings: unknown, insecureHosts: readonly string[] = []): GcpSettings {
  return parseGcpSettings(settings, { insecureHosts: new Set(insecureHosts), proofAudiences: [BROKER] })
}

/** Each problem as its path and its code. */
function problems(settings: unknown): readonly string[] {
  return problemsOf(() => parse(settings)).map(({ path, code }) => `${path.join('.')}: ${code}`)
}

describe('the settings', () => {
  test('need nothing, and take Google’s own keys', () => {
    expect(parse({})).toEqual({ keys: { from: 'discovery' }, privateHosts: [], caFile: undefined })
  })

  test('may say where the keys are, and how that is reached', () => {
    const keys = { from: 'url', url: 'https://10.0.0.2/certs' }

    expect(parse({ keys, private_hosts: ['10.0.0.2'], ca_file: 'ca.pem' })).toEqual({
      keys,
      privateHosts: ['10.0.0.2'],
      caFile: 'ca.pem',
    })
    expect(parse({ keys: inline(K1, K2) }).keys).toEqual(inline(K1, K2))
    expect(parse({ keys: { from: 'url', url: 'http://127.0.0.1:8080/certs' } }, ['127.0.0.1:8080']).keys).toMatchObject(
      { from: 'url' },
    )
  })

  test.each([
    ['an issuer', { issuers: ['https://accounts.google.com'] }, ''],
    ['a project', { project_id: 'prod-123456' }, ''],
    ['a switch for the audience', { skip_audience: true }, ''],
    ['an unknown source of keys', { keys: { from: 'anywhere' } }, 'keys.from'],
    ['an empty list of private hosts', { private_hosts: [] }, 'private_hosts'],
    ['a file elsewhere', { ca_file: '../ca.pem' }, 'ca_file'],
    ['null for keys', { keys: null }, 'keys'],
  ])('refuse %s', (_, settings, path) => {
    expect(problems(settings)).toEqual([`${path}: shape`])
  })

  test.each([null, [], 'google', 1])('are not %j', (settings) => {
    expect(problems(settings)).toEqual([': shape'])
  })

  test.each([
    ['plain http', { from: 'url', url: 'http://www.googleapis.com/oauth2/v3/certs' }, 'keys.url: url_refused'],
    ['a private address', { from: 'url', url: 'https://10.0.0.2/certs' }, 'keys.url: url_refused'],
    ['no keys', inline(), 'keys.jwks.keys: keys_empty'],
    ['a key that is none', inline(K1, { kid: 'x' }), 'keys.jwks.keys.1: key_refused'],
    ['two keys of one id', inline(K1, K1), 'keys.jwks.keys.1: key_id_repeated'],
  ])('refuse %s', (_, keys, problem) => {
    expect(problems({ keys })).toEqual([problem])
  })
})

describe('two trusted issuers', () => {
  const trusted = (name: string): TrustedIssuer<GcpSettings> => {
    return { name, proofAudiences: [BROKER], settings: parse({}) }
  }

  test('are never both Google', () => {
    expect(findGcpConflict(trusted('one'), trusted('other'))).toContain('https://accounts.google.com')
  })

  test('that are is an error of the document, whatever else they say', () => {
    const context = { providers: [gcpVerifier], insecureHosts: new Set<string>(), brokerIssuer: BROKER }
    const google = { provider: 'gcp' }
    const document = (trusted_issuers: Readonly<Record<string, object>>) => ({
      trusted_issuers,
      bindings: {
        vm: { trusted_issuer: 'google', match: { 'gcp.subject': ACCOUNT_ID }, identity: 'payments/api' },
      },
    })
    const other = { provider: 'gcp', proof_audiences: ['https://other.example'], keys: inline(K1) }

    expect(tell(findingsIn(document({ google }), context))).toEqual([])
    expect(tell(findingsIn(document({ google, other }), context))).toEqual([
      'error /trusted_issuers/other issuer_shared',
    ])
  })
})
