/** What is believed of Google's identity tokens, and whose are refused. */

import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../providers/contract/strict-json.ts'
import { readGcpClaims } from '../../providers/gcp/claims.ts'
import { createClaimsLedger } from '../../providers/kit/claims.ts'
import { ACCOUNT_EMAIL, ACCOUNT_ID, COMPUTE_ENGINE } from '../support/google-tokens.ts'
import { refusalOf } from '../support/rejection.ts'

const CLAIMS = {
  azp: ACCOUNT_ID,
  sub: ACCOUNT_ID,
  email: ACCOUNT_EMAIL,
  email_verified: true,
  google: { compute_engine: COMPUTE_ENGINE },
}

/** Reads the claims of a VM with others. Undefined removes one, as in JSON. */
function read(more: JsonObject = {}) {
  return readGcpClaims(createClaimsLedger(JSON.parse(JSON.stringify({ ...CLAIMS, ...more })) as JsonObject))
}

const readEngine = (more: JsonObject) => read({ google: { compute_engine: { ...COMPUTE_ENGINE, ...more } } })

describe('the claims', () => {
  test('of a VM are read as its metadata server writes them', () => {
    expect(read()).toEqual({
      subject: ACCOUNT_ID,
      email: ACCOUNT_EMAIL,
      instance: {
        projectId: 'prod-123456',
        projectNumber: '716149158341',
        zone: 'us-central1-a',
        id: '4340508760561261530',
        name: 'vm-1',
      },
    })
  })

  test('of anything else have no instance, and an address only where it was asked for', () => {
    const bare = { subject: ACCOUNT_ID, email: undefined, instance: undefined }

    expect(read({ google: undefined })).toEqual({ ...bare, email: ACCOUNT_EMAIL })
    expect(read({ google: {} }).instance).toBeUndefined()
    expect(read({ google: undefined, email: undefined, email_verified: undefined })).toEqual(bare)
    expect(read({ google: undefined, email: undefined, email_verified: false })).toEqual(bare)
  })

  test('are all accounted for, and what Google may add is counted', () => {
    const ledger = createClaimsLedger(CLAIMS)
    readGcpClaims(ledger)
    expect(ledger.unknown()).toBe(0)
    const bare = createClaimsLedger({ azp: ACCOUNT_ID, sub: ACCOUNT_ID, email_verified: true })
    readGcpClaims(bare)
    expect(bare.unknown()).toBe(0)

    const google = { organization_number: 1, other: 1, compute_engine: { ...COMPUTE_ENGINE, more: 1 } }
    const added = createClaimsLedger({ ...CLAIMS, one: 1, google })
    readGcpClaims(added)

    expect(added.unknown()).toBe(3)
  })
})

describe('the account', () => {
  test.each(['sub', 'azp'])('is not known without %s', (claim) => {
    expect(refusalOf(() => read({ [claim]: undefined }))).toMatchObject({ code: 'claim_missing', facts: { claim } })
    for (const value of ['', 1, null, [ACCOUNT_ID], { id: ACCOUNT_ID }]) {
      expect(refusalOf(() => read({ [claim]: value })).code).toBe('claim_invalid')
    }
  })

  test('may be whom the token was made for by its address, where the token has that too', () => {
    expect(read({ azp: ACCOUNT_EMAIL }).subject).toBe(ACCOUNT_ID)
    expect(refusalOf(() => read({ azp: ACCOUNT_EMAIL, email: undefined })).code).toBe('claims_inconsistent')
    expect(refusalOf(() => read({ azp: ACCOUNT_EMAIL, email_verified: false })).code).toBe('claim_invalid')
  })

  test.each([
    '32555940559.apps.googleusercontent.com',
    'someone@gmail.com',
    `other-${ACCOUNT_EMAIL}`,
    ACCOUNT_EMAIL.toUpperCase(),
    'undefined',
    `${ACCOUNT_ID} `,
    `0${ACCOUNT_ID}`,
    ACCOUNT_ID.slice(0, -1),
  ])('is not whom the token was made for by %s', (azp) => {
    expect(refusalOf(() => read({ azp })).code).toBe('claims_inconsistent')
  })

  test.each(['hd', 'name', 'given_name', 'family_name', 'picture', 'profile', 'locale'])(
    'is a person where there is %s, even one that says nothing',
    (claim) => {
      for (const value of ['corp.example', '', null, false]) {
        expect(refusalOf(() => read({ [claim]: value }))).toMatchObject({ code: 'claim_forbidden', facts: { claim } })
      }
    },
  )
})

describe('an address', () => {
  test.each([undefined, false, 'true', 1, null, [true], {}])('is not taken with email_verified %j', (value) => {
    expect(refusalOf(() => read({ email_verified: value }))).toMatchObject({
      code: 'claim_invalid',
      facts: { claim: 'email_verified' },
    })
  })

  test.each(['', null, 1, [ACCOUNT_EMAIL]])('is not %j', (email) => {
    expect(refusalOf(() => read({ email }))).toMatchObject({ code: 'claim_invalid', facts: { claim: 'email' } })
  })
})

describe('a VM', () => {
  test.each(['project_id', 'project_number', 'zone', 'instance_id', 'instance_name'])('has %s', (name) => {
    const claim = `google.compute_engine.${name}`

    expect(refusalOf(() => readEngine({ [name]: undefined }))).toMatchObject({
      code: 'claim_missing',
      facts: { claim },
    })
    for (const value of [null, [], {}, true, '']) {
      expect(refusalOf(() => readEngine({ [name]: value }))).toMatchObject({ code: 'claim_invalid', facts: { claim } })
    }
  })

  test.each(['716149158341', 716_149_158_341.5, -1, 2 ** 53, 1e21])('has a project by no such number: %j', (value) => {
    expect(refusalOf(() => readEngine({ project_number: value })).code).toBe('claim_invalid')
  })

  test.each(['project_id', 'zone', 'instance_id', 'instance_name'])('has %s as a string, and nothing else', (name) => {
    expect(refusalOf(() => readEngine({ [name]: 4_340_508_760 })).code).toBe('claim_invalid')
  })

  test.each([null, [], 'x', 1, true])('is not %j, and neither is what Google says', (value) => {
    expect(refusalOf(() => read({ google: value }))).toMatchObject({
      code: 'claim_invalid',
      facts: { claim: 'google' },
    })
    expect(refusalOf(() => read({ google: { compute_engine: value } }))).toMatchObject({
      code: 'claim_invalid',
      facts: { claim: 'google.compute_engine' },
    })
  })
})
