/** Attacks with tokens of another of Azure's clouds: each has tenants and keys of its own, and two of them share an issuer. */

import { expect, onTestFinished, test } from 'vitest'
import { AZURE_CLOUDS, type AzureCloud } from '../../providers/azure/issuers.ts'
import { type AzureStandIn, startAzureStandIn } from '../../providers/azure/stand-in/stand-in.ts'
import { type AzureScene, azureDocument, entraEntry, keysPath, openAzureScene, settle } from '../support/azure-scene.ts'

const PAIRS = AZURE_CLOUDS.flatMap((ours) =>
  AZURE_CLOUDS.filter((theirs) => theirs !== ours).map((theirs) => ({ ours, theirs })),
)

/** A scene in one cloud, and a tenant of the same id in another that has given all our ids to its own. */
async function openTwoClouds(
  ours: AzureCloud,
  theirs: AzureCloud,
): Promise<{ scene: AzureScene; other: AzureStandIn }> {
  const scene = await openAzureScene({
    azure: { cloud: ours },
    document: (made) => azureDocument(made, { trusted_issuers: { entra: entraEntry(made, { cloud: ours }) } }),
  })
  onTestFinished(() => scene.close())
  const other = await startAzureStandIn({ now: scene.clock.now, cloud: theirs })
  onTestFinished(() => other.close())
  settle(other)
  return { scene, other }
}

/** The claims of our own token, but for the issuer and whatever else tells the other cloud. */
async function tokensOf({ cloud, identity, proofAudiences }: AzureScene, other: AzureStandIn) {
  const wishes = proofAudiences.map((resource) => ({ resource, clientId: identity.clientId }))
  const [v1, v2] = wishes.map((wish) => cloud.claimsFor(wish))
  const { iss: issuer1, idp } = other.claimsFor({ resource: 'api://chancery' })
  const { iss: issuer2 } = other.claimsFor({ resource: 'api://chancery-v2' })
  return {
    v1: await other.sign({ ...v1, idp, iss: issuer1 }),
    v2: await other.sign({ ...v2, idp, iss: issuer2 }),
  }
}

test.each(PAIRS)(
  'AZ-13 refuses a token of the cloud $theirs where the tenant is in $ours',
  async ({ ours, theirs }) => {
    const { scene, other } = await openTwoClouds(ours, theirs)
    const { v1, v2 } = await tokensOf(scene, other)
    const isIssuerShared = ours !== 'china' && theirs !== 'china'

    await scene.refusesUnasked(v2, 'issuer_not_trusted')
    // Version 1 has one issuer in the public cloud and in the American one: there the keys alone tell them apart.
    if (isIssuerShared) await scene.refuses(v1, 'key_unknown')
    else await scene.refusesUnasked(v1, 'issuer_not_trusted')

    await scene.issues(await scene.proof())
    await scene.issues(await scene.modernProof())
    expect(other.requests).toEqual([])
  },
)

const SHARED = PAIRS.filter(({ ours, theirs }) => ours !== 'china' && theirs !== 'china')
const NAMES = {
  public: 'microsoftonline.com',
  usgov: 'microsoftonline.us',
  china: 'partner.microsoftonline.cn',
} as const

test.each(SHARED)('AZ-13 refuses it where keys of $theirs stand in the set of $ours too', async ({ ours, theirs }) => {
  const { scene, other } = await openTwoClouds(ours, theirs)
  const { v1 } = await tokensOf(scene, other)
  // As Microsoft's public set has it: the key names the public cloud's issuer, and its own cloud beside it.
  const [{ issuer } = { issuer: undefined }] = scene.cloud.jwks.keys
  const lent = other.jwks.keys.map((key) => ({ ...key, issuer, cloud_instance_name: NAMES[theirs] }))
  const keys = [...scene.cloud.jwks.keys.map((key) => ({ ...key, cloud_instance_name: NAMES[ours] })), ...lent]
  scene.cloud.fail(keysPath(scene.cloud), { status: 200, body: { keys } })

  await scene.refuses(v1, 'key_unknown')
  await scene.issues(await scene.proof())
})

test('AZ-13 refuses the name of another cloud’s issuer under our own keys', async () => {
  const { scene, other } = await openTwoClouds('public', 'china')
  const { iss } = other.claimsFor({ resource: 'api://chancery' })

  for (const issuer of [iss, `https://login.partner.microsoftonline.cn/${other.tenantId}/v2.0`])
    await scene.refusesUnasked(await scene.forgeV1({ iss: issuer }), 'issuer_not_trusted')
  await scene.issues(await scene.forgeV1({}))
})
