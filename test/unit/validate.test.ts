/** What must be true of a document beyond its shape: whom proofs are for, what identities may be granted and say. */

import { describe, expect, test } from 'vitest'
import { SettingsError } from '../../providers/contract/errors.ts'
import type { VerifierProvider } from '../../providers/contract/provider.ts'
import { verifiers } from '../../providers/verifiers.ts'
import { BROKER, type DocumentParts } from '../support/document.ts'
import { CLUSTER, CONTEXT, federationFor, findingsIn, identityOf, tell } from '../support/federation-parts.ts'

const cluster = (more: object = {}) => ({ provider: 'kubernetes', issuers: [CLUSTER], ...more })

describe('whom proofs are made for', () => {
  const proofAudiencesOf = (parts: DocumentParts, brokerIssuer?: string) =>
    federationFor({ ...parts }, { ...CONTEXT, brokerIssuer }).issuers.map(({ proofAudiences }) => proofAudiences)

  test('is what the trusted issuer says, else the document, else the broker’s issuer, else nobody', () => {
    const own = { trusted_issuers: { cluster: cluster({ proof_audiences: ['https://own.example'] }) } }

    expect(proofAudiencesOf({ ...own, proof_audiences: ['https://all.example'] }, BROKER)).toEqual([
      ['https://own.example'],
    ])
    expect(proofAudiencesOf({ proof_audiences: ['https://all.example'] }, BROKER)).toEqual([['https://all.example']])
    expect(proofAudiencesOf({ proof_audiences: undefined }, BROKER)).toEqual([[BROKER]])
    expect(proofAudiencesOf({ proof_audiences: undefined })).toEqual([[]])
  })

  test('is never another party, in the document or in one issuer', () => {
    const foreign = ['https://broker.example', 'sts.amazonaws.com', 'https://STS.amazonaws.com/']

    expect(tell(findingsIn({ proof_audiences: foreign }))).toEqual([
      'error /proof_audiences/1 proof_audience_foreign',
      'error /proof_audiences/2 proof_audience_foreign',
    ])
    expect(tell(findingsIn({ trusted_issuers: { cluster: cluster({ proof_audiences: foreign }) } }))).toEqual([
      'error /trusted_issuers/cluster/proof_audiences/1 proof_audience_foreign',
      'error /trusted_issuers/cluster/proof_audiences/2 proof_audience_foreign',
    ])
  })

  test('is never another party by default either', () => {
    const context = { ...CONTEXT, brokerIssuer: 'https://sts.amazonaws.com' }

    expect(tell(findingsIn({ proof_audiences: undefined }, context))).toContain(
      'error /proof_audiences/0 proof_audience_foreign',
    )
  })

  test('is never the cluster itself, though that is only the default', () => {
    const parts = { proof_audiences: undefined, trusted_issuers: { cluster: cluster({ issuers: [BROKER] }) } }

    expect(tell(findingsIn(parts))).toContain('error /trusted_issuers/cluster/issuers/0 proof_audience_foreign')
  })
})

describe('trusted issuers', () => {
  test('are checked by their provider, whose paths are told from the document’s root', () => {
    const parts = { trusted_issuers: { cluster: cluster({ issuers: ['http://cluster.example'] }) } }

    expect(tell(findingsIn(parts))).toContain('error /trusted_issuers/cluster/issuers/0 issuer_refused')
  })

  test('that a proof could not tell apart are refused, and the later is pointed at', () => {
    const findings = findingsIn({ trusted_issuers: { cluster: cluster(), west: cluster() } })

    expect(tell(findings)).toEqual(['error /trusted_issuers/west issuer_shared'])
    expect(findings[0]?.message).toMatch(/^cluster and west: /)
  })

  test('of different clouds share no issuer, and are not compared for anything else', () => {
    const [kubernetes] = verifiers as readonly [VerifierProvider<unknown>]
    const findConflict = () => 'never asked'
    const context = { ...CONTEXT, providers: [kubernetes, { ...kubernetes, findConflict, name: 'gcp' as const }] }
    const found = (west: object) =>
      tell(
        findingsIn({ trusted_issuers: { cluster: cluster(), west: cluster({ provider: 'gcp', ...west }) } }, context),
      )

    expect(found({})).toEqual(['error /trusted_issuers/west issuer_shared'])
    expect(found({ issuers: ['https://other.example'] })).toEqual([])
  })

  test('whose provider has a bug are not told as the operator’s mistake', () => {
    const [kubernetes] = verifiers
    const broken = (error: Error) => {
      const parseSettings = () => {
        throw error
      }
      return { ...CONTEXT, providers: [{ ...kubernetes, parseSettings } as VerifierProvider<unknown>] }
    }
    const problem = { path: ['keys'], code: 'shape', message: 'wrong' }

    expect(() => findingsIn({}, broken(new TypeError('bug')))).toThrow(TypeError)
    expect(tell(findingsIn({}, broken(new SettingsError([problem]))))).toEqual([
      'error /trusted_issuers/cluster/keys shape',
    ])
  })
})

describe('a grant', () => {
  const grants = (entries: Readonly<Record<string, readonly string[]>>) =>
    tell(findingsIn({ identities: { 'payments/api': { grants: entries } } }))
  const AT = '/identities/payments~1api/grants'

  test.each(['orders', 'constructor', 'toString', 'LEDGER'])(
    'names an audience of the document, which %s is not',
    (name) => {
      expect(grants({ [name]: [] })).toEqual([`error ${AT}/${name} audience_unknown`])
    },
  )

  test('names scopes of that audience, each once', () => {
    expect(grants({ ledger: ['entries:read', 'entries:write'] })).toEqual([])
    expect(grants({ ledger: ['entries:read', 'entries:delete'] })).toEqual([`error ${AT}/ledger/1 scope_unknown`])
    expect(grants({ ledger: ['entries:read', 'entries:write', 'entries:read'] })).toEqual([
      `error ${AT}/ledger/2 scope_repeated`,
    ])
  })

  test('of an audience without scopes is an empty list and nothing else', () => {
    const at = `${AT}/https:~1~1orders.example`

    expect(grants({ 'https://orders.example': [] })).toEqual([])
    expect(grants({ 'https://orders.example': ['entries:read'] })).toEqual([`error ${at}/0 scope_unknown`])
  })

  test('without scopes of an audience that has some is allowed, with a warning', () => {
    expect(grants({ ledger: [] })).toEqual([`warning ${AT}/ledger grant_without_scope`])
  })
})

describe('the claims of an identity', () => {
  const claims = (entries: Readonly<Record<string, unknown>>) =>
    tell(findingsIn({ identities: { 'payments/api': identityOf({ claims: JSON.parse(JSON.stringify(entries)) }) } }))
  const AT = '/identities/payments~1api/claims'

  test.each([
    ...['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti'],
    ...['client_id', 'scope', 'auth_time', 'acr', 'amr', 'groups', 'roles', 'entitlements'],
    ...['act', 'may_act', 'cnf', 'azp', 'nonce', 'proof'],
  ])('may not be %s, which has a meaning', (name) => {
    expect(claims({ team: 'payments', [name]: 'x' })).toEqual([`error ${AT}/${name} claim_reserved`])
  })

  test('may be anything else, up to 2 KiB of JSON', () => {
    const fitting = { team: 'x'.repeat(2_048 - '{"team":""}'.length) }

    expect(claims({ constructor: 'x', Sub: 'x' })).toEqual([])
    expect(claims(fitting)).toEqual([])
    expect(claims({ team: `${fitting.team}x` })).toEqual([`error ${AT} claims_too_large`])
  })

  test('are measured in bytes', () => {
    expect(claims({ team: 'é'.repeat(1_020) })).toEqual([`error ${AT} claims_too_large`])
  })

  test('are told of both their size and their names', () => {
    expect(claims({ sub: 'x'.repeat(2_048) })).toEqual([
      `error ${AT}/sub claim_reserved`,
      `error ${AT} claims_too_large`,
    ])
  })
})

describe('a life that is too short for common clients', () => {
  test('is warned of at the identity and at the audience, below 600 s', () => {
    const parts = (seconds: number) => ({
      identities: { 'payments/api': identityOf({ lifetime_seconds: seconds }) },
      audiences: { ledger: { scopes: ['entries:read'], max_lifetime_seconds: seconds } },
    })

    expect(tell(findingsIn(parts(600)))).toEqual([])
    expect(tell(findingsIn(parts(599)))).toEqual([
      'warning /audiences/ledger/max_lifetime_seconds lifetime_short',
      'warning /identities/payments~1api/lifetime_seconds lifetime_short',
    ])
  })

  test('is no error: the document can be used', () => {
    const identities = { 'payments/api': identityOf({ lifetime_seconds: 1 }) }

    expect(federationFor({ identities }).identities.get('payments/api')?.lifetimeSeconds).toBe(1)
  })
})
