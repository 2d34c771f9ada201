/** Attacks with ids of Azure's resources: the AZ rows of bindings that ask where an identity was used. */

import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { expectIssued, expectProofRefused } from '../support/answers.ts'
import { type AzureScene, azureBinding, azureDocument, openAzureScene } from '../support/azure-scene.ts'
import { formOf, type Parameters } from '../support/broker.ts'
import { SUBSCRIPTION } from '../support/entra-tokens.ts'

const OTHER_SUBSCRIPTION = '11111111-2222-3333-4444-555555555556'
const GROUP = `/subscriptions/${SUBSCRIPTION}/resourcegroups/rg-pay`
const COMPUTE = `${GROUP}/providers/Microsoft.Compute`
const VM = `${COMPUTE}/virtualMachines/prod`
const IDENTITY = `${GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-pay`

/** A scene whose one binding pins the object, and asks for more. */
async function openBound(more: object): Promise<AzureScene> {
  return openAzureScene({
    document: (made) => azureDocument(made, { bindings: { only: azureBinding(made.identity.objectId, more) } }),
  })
}

describe('a binding on a virtual machine', () => {
  let scene: AzureScene
  beforeAll(async () => {
    scene = await openBound({ 'azure.resource_id': VM })
  })
  afterAll(() => scene.close())

  /** What a VM's own identity says; and a lent one. */
  const own = (id: unknown) => scene.forgeV1({ xms_mirid: id, xms_az_rid: undefined })
  const lent = (id: unknown) => scene.forgeV2({ xms_mirid: IDENTITY, xms_az_rid: id })

  const SAME = [VM, VM.toLowerCase(), VM.toUpperCase(), VM.replace('resourcegroups', 'resourceGroups')]

  test.each(SAME)('AZ-10 takes it in any case: %s', async (id) => {
    await scene.issues(await own(id))
    await scene.issues(await lent(id))
  })

  const OTHERS = [
    `${VM}-evil`,
    `${VM}1`,
    `${COMPUTE}/virtualMachines/evil-prod`,
    `${COMPUTE}/virtualMachines/pro`,
    `${COMPUTE}/virtualMachineScaleSets/prod`,
    `${COMPUTE}/virtualMachineScaleSets/evil/virtualMachines/prod`,
    `${COMPUTE}/disks/prod`,
    `${GROUP}/providers/Evil.Compute/virtualMachines/prod`,
    `${GROUP}/providers/Microsoft.Compute.Evil/virtualMachines/prod`,
    `${GROUP}/providers/Microsoft.Web/sites/prod/slots/evil`,
    VM.replace('rg-pay', 'rg-pay-evil'),
    VM.replace('rg-pay', 'rg-evil'),
    VM.replace('rg-pay', 'rg-pa'),
    VM.replace(SUBSCRIPTION, OTHER_SUBSCRIPTION),
  ]

  test.each(OTHERS)('AZ-10 refuses another resource: %s', async (id) => {
    await scene.refuses(await own(id), 'binding_missing')
    await scene.refuses(await lent(id), 'binding_missing')
  })

  test('AZ-11 refuses a token that does not say where the identity was used', async () => {
    const nowhere = [
      { xms_mirid: IDENTITY, xms_az_rid: undefined },
      { xms_mirid: undefined, xms_az_rid: undefined },
      { xms_mirid: IDENTITY.replace('id-pay', 'prod'), xms_az_rid: undefined },
      { xms_mirid: IDENTITY, xms_az_rid: undefined, xms_vm_id: VM, resource_id: VM, az_rid: VM, mirid: VM },
    ]
    for (const claims of nowhere) {
      await scene.refuses(await scene.forgeV1(claims), 'binding_missing')
      await scene.refuses(await scene.forgeV2(claims), 'binding_missing')
    }

    await scene.issues(await lent(VM))
  })

  test('AZ-11 believes where it was used before whose it is', async () => {
    await scene.refuses(await scene.forgeV1({ xms_mirid: VM, xms_az_rid: `${VM}-evil` }), 'binding_missing')
    await scene.issues(await scene.forgeV1({ xms_mirid: `${VM}-evil`, xms_az_rid: VM }))
  })
})

describe('an id that no resource has', () => {
  let scene: AzureScene
  beforeAll(async () => {
    scene = await openBound({})
  })
  afterAll(() => scene.close())

  const MALFORMED = [
    VM.slice(1),
    `/${VM}`,
    `${VM}/`,
    `${VM}//`,
    ` ${VM}`,
    `${VM} `,
    `${VM}\n`,
    `${VM}\u0000`,
    `${VM}?x`,
    `${VM}#x`,
    `https://management.azure.com${VM}`,
    `/x${VM}`,
    VM.replace('rg-pay', 'providers'),
    VM.replace('rg-pay', 'resourceGroups'),
    VM.replace('rg-pay', ''),
    VM.replace('rg-pay', '..'),
    VM.replace('rg-pay', 'rg-pay/../rg-evil'),
    VM.replace('rg-pay', 'rg-evil%2F..%2Frg-pay'),
    VM.replace('rg-pay', 'rg%2Dpay'),
    VM.replace('rg-pay', 'rg-p\u0430y'),
    VM.replace('rg-pay', 'rg-pay.'),
    VM.replace('/rg-pay', '/rg-pay/resourcegroups/rg-evil'),
    VM.replace('/resourcegroups/rg-pay', '/resourcegroups/rg-evil/resourcegroups/rg-pay'),
    VM.replace('/resourcegroups/rg-pay', ''),
    VM.replace('/resourcegroups/', '/resourcegroup/'),
    VM.replace('/resourcegroups/', '%2Fresourcegroups%2F'),
    VM.replace('/subscriptions/', '/subscription/'),
    VM.replace('/providers/', '/providers/providers/'),
    VM.replace('/providers/', '//providers/'),
    VM.replace(SUBSCRIPTION, 'prod'),
    VM.replace(SUBSCRIPTION, SUBSCRIPTION.replaceAll('-', '')),
    VM.replaceAll('/', '\\'),
    VM.replaceAll('/', '%2F'),
    VM.replace('/prod', '%2Fprod'),
    `${VM}/extensions/evil`,
    `${VM}/providers/Microsoft.Authorization/locks/evil`,
    `${COMPUTE}/virtualMachines/evil/virtualMachines/prod`,
    `${COMPUTE}/virtualMachines/evil/../prod`,
    `${COMPUTE}/virtualMachines/..`,
    `${COMPUTE}/virtualMachines/`,
    `${COMPUTE}/virtualMachines`,
    `${VM}%00`,
    'prod',
  ]

  test.each(MALFORMED)('AZ-10 is refused, although no binding asks for it: %j', async (id) => {
    await scene.refuses(await scene.forgeV1({ xms_mirid: id, xms_az_rid: undefined }), 'claim_invalid')
    await scene.refuses(await scene.forgeV2({ xms_mirid: IDENTITY, xms_az_rid: id }), 'claim_invalid')
  })

  test('AZ-10 is refused where it is no text, and a token without any is taken', async () => {
    for (const id of [null, '', 7, [VM], { id: VM }, true])
      await scene.refuses(await scene.forgeV1({ xms_mirid: id }), 'claim_invalid')

    await scene.issues(await scene.forgeV1({ xms_mirid: undefined, xms_az_rid: undefined }))
    await scene.issues(await scene.forgeV2({ xms_mirid: IDENTITY, xms_az_rid: VM }))
  })
})

const PLACES = [
  { 'azure.resource_group': 'rg-pay' },
  { 'azure.subscription_id': SUBSCRIPTION },
  { 'azure.resource_id': VM, 'azure.identity_resource_id': IDENTITY },
]

test.each(PLACES)('AZ-11 an identity’s own group is not where it was used: %j', async (place) => {
  const scene = await openBound(place)
  onTestFinished(() => scene.close())

  await scene.refuses(await scene.forgeV1({ xms_mirid: IDENTITY, xms_az_rid: undefined }), 'binding_missing')
  await scene.refuses(await scene.forgeV1({ xms_mirid: undefined, xms_az_rid: undefined }), 'binding_missing')
  await scene.issues(await scene.forgeV1({ xms_mirid: IDENTITY, xms_az_rid: VM }))
})

test('AZ-11 an identity that is lent is told from one that a machine has', async () => {
  const scene = await openBound({ 'azure.identity_resource_id': IDENTITY })
  onTestFinished(() => scene.close())

  await scene.refuses(await scene.forgeV1({ xms_mirid: VM, xms_az_rid: undefined }), 'binding_missing')
  await scene.refuses(await scene.forgeV1({ xms_mirid: `${IDENTITY}-evil`, xms_az_rid: IDENTITY }), 'binding_missing')
  await scene.issues(await scene.forgeV1({ xms_mirid: IDENTITY, xms_az_rid: undefined }))
})

describe('what a caller says of itself', () => {
  let scene: AzureScene
  beforeAll(async () => {
    scene = await openAzureScene({
      document: (made) => {
        const of = (group: string, identity: string) => {
          return { ...azureBinding(made.identity.objectId, { 'azure.resource_group': group }), identity }
        }
        const grants = { ledger: ['entries:read'] }
        return azureDocument(made, {
          identities: { 'payments/api': { grants }, 'payments/test': { grants } },
          bindings: { prod: of('rg-pay', 'payments/api'), test: of('rg-test', 'payments/test') },
        })
      },
    })
  })
  afterAll(() => scene.close())

  const SAID = {
    subscription_id: SUBSCRIPTION,
    resource_group: 'rg-pay',
    resource_group_name: 'rg-pay',
    vm_name: 'prod',
    vmss_name: 'prod',
    resource_id: VM,
    'azure.resource_group': 'rg-pay',
    'azure.resource_id': VM,
    xms_mirid: VM,
    xms_az_rid: VM,
    object_id: 'bbbbbbbb-1111-2222-3333-cccccccccccc',
    tenant_id: 'aaaabbbb-0000-cccc-1111-dddd2222eeef',
    role: 'payments/api',
    identity: 'payments/api',
    mi_res_id: VM,
  } as const

  const usedIn = (group: string) => scene.forgeV1({ xms_mirid: IDENTITY, xms_az_rid: VM.replace('rg-pay', group) })

  async function claimsOf(proof: string, parameters: Parameters = {}): Promise<object> {
    const reply = await scene.broker.exchange(proof, parameters)
    const { jti: _, ...claims } = decodeJwt(expectIssued(scene.broker, reply).token)
    return claims
  }

  test('AZ-09 changes nothing about a token that has an identity, one by one and together', async () => {
    const proof = await usedIn('rg-test')
    const plain = await claimsOf(proof)

    expect(plain).toMatchObject({ sub: expect.stringContaining('payments/test') })
    for (const [name, value] of Object.entries(SAID)) expect(await claimsOf(proof, { [name]: value })).toEqual(plain)
    expect(await claimsOf(proof, SAID)).toEqual(plain)
  })

  test('AZ-09 gives none to a token that has none', async () => {
    const proof = await usedIn('rg-evil')
    for (const [name, value] of [...Object.entries(SAID), ['vm_name', 'evil'] as const]) {
      const reply = await scene.broker.exchange(proof, { [name]: value })
      expectProofRefused(scene.broker, reply, 'binding_missing')
    }
    expectProofRefused(scene.broker, await scene.broker.exchange(proof, SAID), 'binding_missing')
  })

  test('AZ-09 is not read from headers or from the query either', async () => {
    const headers = Object.fromEntries(Object.entries(SAID).map(([name, value]) => [`x-ms-${name}`, value]))
    const proof = await usedIn('rg-evil')
    scene.broker.watch(proof)
    const send = (path: string, sent: string) =>
      scene.broker.send(path, { method: 'POST', headers, body: formOf(sent) })

    expectProofRefused(scene.broker, await send('/token', proof), 'binding_missing')
    const { record } = expectIssued(scene.broker, await send('/token', await usedIn('rg-test')))
    expect(record?.identity).toBe('payments/test')
  })
})
