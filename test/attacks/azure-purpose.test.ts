/** Attacks with tokens of Entra that are for somebody else, or about somebody else: the AZ rows of audiences and subjects. */

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type StandInServer, startStandInServer } from '../../providers/kit/stand-in-server.ts'
import { type AzureScene, openAzureScene } from '../support/azure-scene.ts'
import { APP_URI } from '../support/entra-tokens.ts'

let scene: AzureScene
function begin(): void {
  beforeAll(async () => {
    scene = await openAzureScene()
  })
  afterAll(() => scene.close())
}

const VERSIONS = ['V1', 'V2'] as const

type Members = Readonly<Record<string, unknown>>

/** Forges in both versions. */
function forgeBoth(claims: Members): Promise<readonly string[]> {
  return Promise.all(VERSIONS.map((version) => scene[`forge${version}`](claims)))
}

async function issuesBoth(claims: Members): Promise<void> {
  for (const proof of await forgeBoth(claims)) await scene.issues(proof)
}

const FOREIGN = [
  'https://management.azure.com/',
  'https://management.azure.com',
  'https://management.core.windows.net/',
  'https://management.usgovcloudapi.net/',
  'https://management.chinacloudapi.cn/',
  '797f4846-ba00-4fd7-ba43-dac1f8f63013',
  'https://graph.microsoft.com',
  'https://graph.microsoft.com/',
  'https://graph.windows.net',
  '00000003-0000-0000-c000-000000000000',
  '00000002-0000-0000-c000-000000000000',
  'https://vault.azure.net',
  'https://storage.azure.com/',
  'https://database.windows.net/',
  'api://AzureADTokenExchange',
  'api://AzureADTokenExchangeUSGov',
  'api://AzureADTokenExchangeChina',
  'fb60f99c-7a34-4190-8149-302f77469936',
  '6dae42f8-4368-4678-94ff-3960e28e3630',
  'api://somebody-else',
]

describe('a token for somebody else', () => {
  begin()

  test.each(FOREIGN)('AZ-05 refuses a token for %s', async (audience) => {
    for (const proof of await forgeBoth({ aud: audience })) await scene.refuses(proof, 'audience_mismatch')
    await scene.refuses(await scene.forgeV1({ aud: [APP_URI, audience] }), 'audience_not_single')
  })

  test('AZ-05 refuses what the platform gives for another application of the tenant', async () => {
    scene.cloud.registerApplication({ uris: ['https://management.azure.com/'] })
    const graph = scene.cloud.registerApplication({ uris: ['https://graph.microsoft.com'], acceptedVersion: '2.0' })

    await scene.refuses(await scene.proof({ resource: 'https://management.azure.com/' }), 'audience_mismatch')
    await scene.refuses(await scene.proof({ resource: graph.clientId }), 'audience_mismatch')
  })

  const NEARLY_OURS = [
    `${APP_URI}/`,
    `${APP_URI}/.default`,
    `${APP_URI}-evil`,
    `evil-${APP_URI}`,
    'api://chancery-v2',
    'chancery',
    APP_URI.toUpperCase(),
    `${APP_URI} `,
    '',
    null,
    undefined,
    [],
    [[APP_URI]],
  ]

  test.each(NEARLY_OURS)('AZ-05 refuses the audience %j, and takes ours', async (aud) => {
    for (const proof of await forgeBoth({ aud })) await scene.refuses(proof, 'audience_mismatch')
    for (const ours of scene.proofAudiences) await issuesBoth({ aud: ours })
  })
})

describe('a token of somebody else', () => {
  begin()

  test('AZ-06 refuses a token with which an application acts for a person', async () => {
    const { clientId } = scene.cloud.registerApplication({ uris: ['api://client'] })
    for (const wish of [{ delegated: true }, { delegated: true, clientId }]) {
      await scene.refuses(await scene.proof(wish), 'claim_forbidden')
      await scene.refuses(await scene.modernProof(wish), 'claim_forbidden')
    }

    await scene.issues(await scene.proof())
    await scene.issues(await scene.modernProof())
  })

  const PERSONAL = {
    scp: 'user_impersonation',
    upn: 'ada@corp.example',
    unique_name: 'live.com#ada@corp.example',
    preferred_username: 'ada@corp.example',
    email: 'ada@corp.example',
    name: 'Ada',
    given_name: 'Ada',
    family_name: 'Lovelace',
    onprem_sid: 'S-1-5-21-1',
    nonce: 'x',
  } as const

  test.each(Object.entries(PERSONAL))(
    'AZ-06 refuses the mark of a person %s, although sub is oid',
    async (name, value) => {
      for (const mark of [value, null]) {
        for (const proof of await forgeBoth({ [name]: mark })) await scene.refuses(proof, 'claim_forbidden')
      }
    },
  )

  const OTHER_KINDS = ['user', 'device', 'agent', 'App', 'app ', 'user app', '', null, 0, ['app'], { idtyp: 'app' }]

  test.each(OTHER_KINDS)('AZ-06 refuses the kind %j', async (idtyp) => {
    for (const proof of await forgeBoth({ idtyp })) await scene.refuses(proof, 'claim_forbidden')
  })

  test('AZ-06 takes the kind app, and a token that does not tell its kind', async () => {
    await issuesBoth({ idtyp: 'app' })
    await issuesBoth({ idtyp: undefined })
  })

  test('AZ-06 refuses a client that proved itself by a secret, or not at all', async () => {
    for (const clientAuthentication of ['0', '1'] as const) {
      await scene.refuses(await scene.proof({ clientAuthentication }), 'claim_forbidden')
      await scene.refuses(await scene.modernProof({ clientAuthentication }), 'claim_forbidden')
    }
    for (const method of ['3', '02', '2 ', 'certificate']) {
      for (const proof of await forgeBoth({ appidacr: method, azpacr: method }))
        await scene.refuses(proof, 'claim_forbidden')
    }
    for (const method of [2, null, ['2'], ''])
      for (const proof of await forgeBoth({ appidacr: method, azpacr: method }))
        await scene.refuses(proof, 'claim_invalid')
  })

  test('AZ-06 refuses a client of whom the token does not tell how, or by the other version’s names', async () => {
    const { clientId } = scene.identity
    await scene.refuses(await scene.forgeV1({ appidacr: undefined, azpacr: '2' }), 'claim_missing')
    await scene.refuses(await scene.forgeV2({ azpacr: undefined, appidacr: '2' }), 'claim_missing')
    await scene.refuses(await scene.forgeV1({ appid: undefined, azp: clientId }), 'claim_missing')
    await scene.refuses(await scene.forgeV2({ azp: undefined, appid: clientId }), 'claim_missing')
    await issuesBoth({})
  })
})

describe('a token that is not about its object', () => {
  begin()

  test('AZ-14 is refused without oid or sub', async () => {
    for (const proof of await forgeBoth({ oid: undefined })) await scene.refuses(proof, 'claim_missing')
    for (const proof of await forgeBoth({ sub: undefined })) await scene.refuses(proof, 'claim_missing')
    for (const value of [null, '', 7, true, [], {}]) {
      for (const proof of await forgeBoth({ oid: value, sub: value })) await scene.refuses(proof, 'claim_invalid')
    }
    await issuesBoth({})
  })

  const OTHER_SUBJECTS = [
    'cccccccc-1111-2222-3333-dddddddddddd',
    'rPPuU4iZ1f9BVZ2n1xSXvX0h1t0BDF6qs0FDmn4kAAA',
    '/eid1/c/pub/t/oKoAAAAAzAxERN1SIi7u7g/a/9GjzAAAAAAAAAAAAAAAAAA/sc://corp/project/connection',
    'system:serviceaccount:payments:api',
    'bbbbbbbb-1111-2222-3333-cccccccccccc ',
  ]

  test.each(OTHER_SUBJECTS)('AZ-14 is refused with the sub %j, as agents and federations have it', async (sub) => {
    for (const proof of await forgeBoth({ sub, idtyp: 'app' })) await scene.refuses(proof, 'claims_inconsistent')
  })

  test('AZ-14 is refused with a sub that is the oid but for its spelling', async () => {
    const { objectId } = scene.identity
    for (const sub of [`${objectId} `, ` ${objectId}`, `{${objectId}}`, objectId.replaceAll('-', ''), `${objectId}\n`])
      for (const proof of await forgeBoth({ sub })) await scene.refuses(proof, 'claims_inconsistent')
    const upper = objectId.replace(/[a-f]/, (letter) => letter.toUpperCase())
    for (const proof of await forgeBoth({ sub: upper === objectId ? `${objectId}A` : upper }))
      await scene.refuses(proof, 'claims_inconsistent')
  })

  const NO_OBJECTS = [
    'admin',
    '../x',
    '*',
    '00000000',
    '{00000000-0000-0000-0000-000000000000}',
    '\u0130',
    'a'.repeat(36),
  ]

  test.each(NO_OBJECTS)('AZ-14 is refused where the object is %j', async (id) => {
    for (const proof of await forgeBoth({ oid: id, sub: id })) await scene.refuses(proof, 'claim_invalid')
    for (const proof of await forgeBoth({ appid: id, azp: id })) await scene.refuses(proof, 'claim_invalid')
  })

  test('AZ-14 is another one to the binding with every other object, whatever its client', async () => {
    const { clientId, objectId } = scene.cloud.createIdentity('id-evil')
    await scene.refuses(await scene.proof({ clientId }), 'binding_missing')
    await scene.refuses(await scene.modernProof({ clientId }), 'binding_missing')
    for (const proof of await forgeBoth({ oid: objectId, sub: objectId })) await scene.refuses(proof, 'binding_missing')
    for (const name of ['object_id', 'objectid', 'OID', 'principal_id']) {
      const claims = { oid: objectId, sub: objectId, [name]: scene.identity.objectId }
      for (const proof of await forgeBoth(claims)) await scene.refuses(proof, 'binding_missing')
    }
  })
})

describe('groups that wait behind a URL', () => {
  let graph: StandInServer
  let overages: readonly Members[]
  beforeAll(async () => {
    graph = await startStandInServer({ route: () => ({ status: 200, body: { value: ['payments-admins'] } }) })
    const endpoint = `${graph.origin}/users/getMemberObjects`
    const sources = { _claim_sources: { src1: { endpoint } } }
    overages = [
      { _claim_names: { groups: 'src1' }, ...sources },
      { _claim_names: { groups: 'src1' } },
      { _claim_names: null },
      { _claim_names: {}, groups: ['payments-admins'] },
      sources,
      { _claim_sources: [endpoint] },
      { hasgroups: true },
      { hasgroups: 'true' },
      { hasgroups: false },
      { groups: 'src1' },
      { groups: endpoint },
      { groups: { endpoint } },
      { groups: null },
    ]
  })
  afterAll(() => graph.close())

  test('AZ-15 are refused, and never fetched', async () => {
    const scene = await openAzureScene({ broker: { insecureHosts: [graph.host] } })
    onTestFinished(() => scene.close())
    for (const claims of overages) {
      await scene.refuses(await scene.forgeV1(claims), 'claim_forbidden')
      await scene.refuses(await scene.forgeV2(claims), 'claim_forbidden')
    }
    expect(graph.requests).toEqual([])

    await scene.issues(await scene.proof())
    expect(graph.requests).toEqual([])
  })

  test('AZ-15 a list that is in the token is nobody’s attribute', async () => {
    const scene = await openAzureScene()
    onTestFinished(() => scene.close())
    const claims = { groups: ['payments-admins'], roles: ['Admin'], wids: ['Admin'] }
    const plain = { xms_mirid: undefined, xms_az_rid: undefined }

    const { record } = await scene.issues(await scene.forgeV1({ ...plain, ...claims }))

    const names = ['azure.client_id', 'azure.object_id', 'azure.tenant_id']
    expect(Object.keys(record?.attributes ?? {}).toSorted()).toEqual(names)
    expect(JSON.stringify(record)).not.toMatch(/payments-admins|"Admin"/)
  })
})
