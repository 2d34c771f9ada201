/** What is believed of Entra's tokens for managed identities, and whose are refused. */

import { describe, expect, test } from 'vitest'
import { checkTenant, readAzureClaims } from '../../providers/azure/claims.ts'
import type { TokenVersion } from '../../providers/azure/issuers.ts'
import type { JsonObject } from '../../providers/contract/strict-json.ts'
import { type ClaimsLedger, createClaimsLedger } from '../../providers/kit/claims.ts'
import { readCompactJws } from '../../providers/kit/compact-jws.ts'
import {
  CLIENT_ID,
  IDENTITY,
  OBJECT_ID,
  OTHER_TENANT,
  TENANT,
  V1_ISSUER,
  VM,
  v1Claims,
  v2Claims,
} from '../support/entra-tokens.ts'
import { constantSigner, rawJws } from '../support/raw-jws.ts'
import { refusalOf } from '../support/rejection.ts'

const VERSIONS: readonly TokenVersion[] = ['1.0', '2.0']

/** Opens the claims that are left once audience and times were checked. Undefined removes one, as in JSON. */
function ledgerOf(version: TokenVersion, more: JsonObject = {}): ClaimsLedger {
  const claims = { ...(version === '1.0' ? v1Claims(0) : v2Claims(0)), ...more }
  const ledger = createClaimsLedger(JSON.parse(JSON.stringify(claims)) as JsonObject)
  ledger.ignore('iss', 'aud', 'iat', 'nbf', 'exp')
  return ledger
}

const read = (more: JsonObject = {}, version: TokenVersion = '1.0') =>
  readAzureClaims(ledgerOf(version, more), version, TENANT)
const refused = (more: JsonObject, version?: TokenVersion) => refusalOf(() => read(more, version))

describe.each(VERSIONS)('the claims of version %s', (version) => {
  const [client, method] = version === '1.0' ? ['appid', 'appidacr'] : ['azp', 'azpacr']

  test('are read as Entra writes them', () => {
    expect(read({}, version)).toMatchObject({
      tenantId: TENANT,
      objectId: OBJECT_ID,
      clientId: CLIENT_ID,
      identity: { text: IDENTITY.toLowerCase() },
      resource: { text: VM.toLowerCase() },
    })
  })

  test('may lack what Entra does not promise', () => {
    expect(read({ idtyp: undefined, xms_mirid: undefined, xms_az_rid: undefined }, version)).toEqual({
      tenantId: TENANT,
      objectId: OBJECT_ID,
      clientId: CLIENT_ID,
      identity: undefined,
      resource: undefined,
    })
  })

  test('are all accounted for, and what Entra may add is counted', () => {
    const genuine = ledgerOf(version)
    readAzureClaims(genuine, version, TENANT)
    expect(genuine.unknown()).toBe(0)

    const known = { roles: ['Entries.Read'], groups: [OBJECT_ID], wids: [], app_displayname: 'x', acrs: ['p1'] }
    const extended = { azpacrs: 1, tenant_region_scope: 'EU', xms_tcdt: 1, xms_idrel: '7 32', xms_ftd: 'x', xms_cc: [] }
    const internal = {
      xms_act_fct: 'x',
      xms_sub_fct: 'x',
      xms_ssm: '1',
      xms_rd: 'x',
      xms_tnt_fct: 'x',
      xms_az_nwperimid: [],
    }
    const added = ledgerOf(version, { ...known, ...extended, ...internal, one: 1, two: 2 })
    readAzureClaims(added, version, TENANT)

    expect(added.unknown()).toBe(2)
  })

  test.each(['1.0', '2.0', '1', '2', '', null, 1, 2, undefined])('are those of no other version: %j', (ver) => {
    if (ver === version) expect(read({ ver }, version).tenantId).toBe(TENANT)
    else expect(['claims_inconsistent', 'claim_invalid', 'claim_missing']).toContain(refused({ ver }, version).code)
  })

  test('say in so many words that it is another version', () => {
    const other = version === '1.0' ? '2.0' : '1.0'

    expect(refused({ ver: other }, version)).toMatchObject({ code: 'claims_inconsistent', facts: { claim: 'ver' } })
  })

  test('name the client, under the name of the version', () => {
    const named = { appid: undefined, azp: undefined, [client ?? '']: CLIENT_ID }

    expect(read(named, version).clientId).toBe(CLIENT_ID)
    expect(refused({ [client ?? '']: undefined }, version)).toMatchObject({
      code: 'claim_missing',
      facts: { claim: client },
    })
    for (const value of ['', 1, null, [CLIENT_ID]]) {
      expect(refused({ [client ?? '']: value }, version).code).toBe('claim_invalid')
    }
  })

  test('say that the client held a certificate, and nothing less', () => {
    for (const value of ['0', '1', '3', '02', ' 2']) {
      expect(refused({ [method ?? '']: value }, version)).toMatchObject({
        code: 'claim_forbidden',
        facts: { claim: method },
      })
    }
    for (const value of ['', 2, null, ['2'], true]) {
      expect(refused({ [method ?? '']: value }, version).code).toBe('claim_invalid')
    }
    expect(refused({ [method ?? '']: undefined }, version).code).toBe('claim_missing')
    const others = { appidacr: '2', azpacr: '2', [method ?? '']: undefined }
    expect(refused(others, version).code).toBe('claim_missing')
  })
})

describe('a person’s token is refused', () => {
  const PERSONAL = [
    'upn',
    'unique_name',
    'preferred_username',
    'email',
    'name',
    'given_name',
    'family_name',
    'onprem_sid',
  ]

  test.each(PERSONAL)('for its %s, even one that says nothing', (claim) => {
    for (const value of ['someone@corp.example', '', null]) {
      expect(refused({ [claim]: value })).toMatchObject({ code: 'claim_forbidden', facts: { claim } })
    }
  })

  test.each(['user', 'device', 'App', 'app ', '', null, 1, ['app']])('for its idtyp %j', (idtyp) => {
    expect(refused({ idtyp })).toMatchObject({ code: 'claim_forbidden', facts: { claim: 'idtyp' } })
  })

  test('for acting for somebody else than its own object', () => {
    for (const sub of ['pairwise', OBJECT_ID.toUpperCase(), `${OBJECT_ID} `, CLIENT_ID]) {
      expect(refused({ sub }).code).toBe('claims_inconsistent')
    }
  })

  test.each(['oid', 'sub'])('without %s', (claim) => {
    expect(refused({ [claim]: undefined })).toMatchObject({ code: 'claim_missing', facts: { claim } })
    for (const value of ['', 1, null, [OBJECT_ID]]) expect(refused({ [claim]: value }).code).toBe('claim_invalid')
  })

  test.each(['_claim_names', '_claim_sources', 'hasgroups'])('for groups that wait elsewhere: %s', (claim) => {
    const value = { src1: { endpoint: 'https://graph.microsoft.com/v1.0/users/x/getMemberObjects' } }

    expect(refused({ [claim]: value })).toMatchObject({ code: 'claim_forbidden', facts: { claim } })
  })

  test.each(['src1', '', null, 1, { src1: 1 }, true])('for groups that are no list in the token: %j', (groups) => {
    expect(refused({ groups })).toMatchObject({ code: 'claim_forbidden', facts: { claim: 'groups' } })
  })
})

describe('the resource', () => {
  test('of an identity that stands on its own is the one that it was used on', () => {
    expect(read().resource?.text).toBe(VM.toLowerCase())
    expect(read({ xms_az_rid: undefined })).toMatchObject({
      identity: { text: IDENTITY.toLowerCase() },
      resource: undefined,
    })
    expect(read({ xms_mirid: IDENTITY.toUpperCase(), xms_az_rid: undefined }).resource).toBeUndefined()
  })

  test('of a resource that has its own identity is that resource, unless another is named', () => {
    const instance = VM.replace('virtualMachines/vm1', 'virtualMachineScaleSets/set/virtualMachines/0')

    expect(read({ xms_mirid: VM, xms_az_rid: undefined }).resource?.text).toBe(VM.toLowerCase())
    expect(read({ xms_mirid: VM, xms_az_rid: instance }).resource?.text).toBe(instance.toLowerCase())
    expect(read({ xms_mirid: undefined }).resource?.text).toBe(VM.toLowerCase())
    expect(read({ xms_mirid: undefined }).identity).toBeUndefined()
  })

  test.each(['xms_mirid', 'xms_az_rid'])('is refused where %s is no id of one', (claim) => {
    for (const value of [VM.slice(1), `${VM}/`, VM.replace('/vm1', '%2Fvm1'), '/', 'vm1', `${VM}/extensions/x`]) {
      expect(refused({ [claim]: value })).toMatchObject({ code: 'claim_invalid', facts: { claim } })
    }
    for (const value of ['', 1, null, [VM], { id: VM }]) expect(refused({ [claim]: value }).code).toBe('claim_invalid')
  })
})

describe('the tenant', () => {
  const jws = (claims: object) => readCompactJws(rawJws({ alg: 'RS256' }, claims, constantSigner(Buffer.alloc(1))))

  test('is the one that the issuer names', () => {
    expect(checkTenant(jws({ tid: TENANT, iss: V1_ISSUER }), TENANT)).toBeUndefined()
  })

  test.each([
    OTHER_TENANT,
    TENANT.toUpperCase(),
    `${TENANT}/`,
    `../${TENANT}`,
    '../x',
    'common',
    '%2e%2e',
    '',
    null,
    1,
    [TENANT],
    { id: TENANT },
    undefined,
  ])('is not %j', (tid) => {
    expect(refusalOf(() => checkTenant(jws({ tid }), TENANT))).toMatchObject({
      code: 'claims_inconsistent',
      facts: { claim: 'tid' },
    })
  })

  test('is not inherited', () => {
    const claims = jws({})
    Object.setPrototypeOf(claims.claims, { tid: TENANT })

    expect(refusalOf(() => checkTenant(claims, TENANT)).code).toBe('claims_inconsistent')
  })
})
