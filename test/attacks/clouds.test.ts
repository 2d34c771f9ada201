/** One workload that several clouds vouch for: what each of its tokens is worth here, and that no answer tells them apart. */

import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { signClaims } from '../../providers/kit/stand-in-keys.ts'
import type { RefusalReason } from '../../src/audit/reasons.ts'
import { type AllClouds, openAllClouds } from '../support/all-clouds.ts'
import { expectIssued, expectProofRefused, REFUSED_BODY } from '../support/answers.ts'
import type { Parameters } from '../support/broker.ts'
import { BROKER } from '../support/document.ts'
import { APP_URI, CONSUMERS, OTHER_TENANT } from '../support/entra-tokens.ts'
import { POD } from '../support/scene.ts'
import { wholeAnswer } from '../support/whole-answer.ts'

let clouds: AllClouds
beforeAll(async () => {
  clouds = await openAllClouds()
})
afterAll(() => clouds.close())

async function expectFrom(binding: string, proof: string): Promise<void> {
  const { token, record } = expectIssued(clouds.broker, await clouds.broker.exchange(proof))
  expect(record).toMatchObject({ binding, identity: 'payments/api' })
  expect(decodeJwt(token).sub).toContain('payments/api')
}

async function expectRefused(proof: string, reason: RefusalReason): Promise<void> {
  expectProofRefused(clouds.broker, await clouds.broker.exchange(proof), reason)
}

/** What a pod finds in a projected volume. */
const projected = (...audiences: readonly string[]): Promise<string> =>
  clouds.cluster.requestToken({ ...POD, audiences })

describe('a pod of GKE', () => {
  beforeAll(() => clouds.google.run({ place: 'gke_pod' }))
  afterAll(() => clouds.google.run({ place: 'vm' }))

  /** What a pod gets at the metadata server when its account is linked to a Google one. */
  async function fetchLinked(audience: string): Promise<string> {
    const path = '/computeMetadata/v1/instance/service-accounts/default/identity'
    const query = new URLSearchParams({ audience, format: 'full' })
    const headers = { 'metadata-flavor': 'Google' }
    const reply = await fetch(`${clouds.google.origin}${path}?${query.toString()}`, { headers })
    expect(reply.status).toBe(200)
    return await reply.text()
  }

  test('gets one identity by its cluster’s token, and by the token of the Google account that it is linked to', async () => {
    const linked = await fetchLinked(BROKER)

    expect(decodeJwt(linked)).not.toHaveProperty('google')
    await expectFrom('pod', await projected(BROKER))
    await expectFrom('linked-account', linked)
  })

  test('GCP-01 gets nothing by either token where it is for Google, or for the other’s issuer', async () => {
    for (const audience of ['prod-123456.svc.id.goog', 'https://sts.googleapis.com', 'https://accounts.google.com']) {
      await expectRefused(await projected(audience), 'audience_mismatch')
      await expectRefused(await projected(BROKER, audience), 'audience_not_single')
      await expectRefused(await fetchLinked(audience), 'audience_mismatch')
    }
    await expectRefused(await fetchLinked(clouds.cluster.issuer), 'audience_mismatch')
  })

  test('GCP-03 gets nothing where one issuer signs in the other’s name', async () => {
    const { cluster, google } = clouds
    const pod = cluster.claimsFor({ ...POD, audiences: [BROKER] })
    const account = google.claimsFor({ audience: BROKER })

    await expectRefused(await cluster.sign({ ...account }), 'key_unknown')
    await expectRefused(await cluster.sign({ ...account }, { kid: google.key.keyId }), 'signature_invalid')
    await expectRefused(await google.sign({ ...pod }, { kid: cluster.key.keyId }), 'signature_invalid')
    await expectRefused(await google.sign({ ...pod, iss: account.iss, aud: BROKER }), 'claim_missing')
    await expectRefused(await cluster.sign({ ...account, iss: cluster.issuer, aud: [BROKER] }), 'claim_missing')
  })
})

const EXCHANGES = ['api://AzureADTokenExchange', 'api://AzureADTokenExchangeUSGov', 'api://AzureADTokenExchangeChina']
const EXCHANGE_ID = 'fb60f99c-7a34-4190-8149-302f77469936'

describe('a pod of AKS', () => {
  const [EXCHANGE = ''] = EXCHANGES

  beforeAll(() => {
    const { azure, cluster, identity } = clouds
    const subject = 'system:serviceaccount:payments:api'
    azure.trustSubject({ clientId: identity.clientId, issuer: cluster.issuer, subject })
  })

  /** Trades a token at Entra, as the SDK does with the one of the webhook. */
  async function trade(assertion: string, resource = APP_URI): Promise<Readonly<Record<string, unknown>>> {
    const { azure, identity } = clouds
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: identity.clientId,
      client_assertion: assertion,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      scope: `${resource}/.default`,
    })
    const reply = await fetch(`${azure.origin}/${azure.tenantId}/oauth2/v2.0/token`, { method: 'POST', body })
    return (await reply.json()) as Readonly<Record<string, unknown>>
  }

  test.each([...EXCHANGES, EXCHANGE_ID])(
    'K8S-05, AZ-05 gets nothing by the webhook’s own token, for %s',
    async (audience) => {
      await expectRefused(await projected(audience), 'audience_mismatch')
      await expectRefused(await projected(BROKER, audience), 'audience_not_single')
      await expectRefused(await projected(audience, BROKER), 'audience_not_single')
    },
  )

  test('K8S-05 gets its identity by a second volume with our audience', async () => {
    await expectFrom('pod', await projected(BROKER))
  })

  test('AZ-05 gets its identity by the Entra token that the webhook’s token is traded for', async () => {
    const [v1, v2] = clouds.proofAudiences
    for (const resource of [v1, v2]) {
      const { access_token: token } = await trade(await projected(EXCHANGE), resource)
      await expectFrom('managed-identity', String(token))
    }
  })

  test('AZ-05 gets nothing by an Entra token for anybody else', async () => {
    clouds.azure.registerApplication({ uris: ['https://management.azure.com/', EXCHANGE] })
    for (const resource of ['https://management.azure.com/', EXCHANGE]) {
      const { access_token: token } = await trade(await projected(EXCHANGE), resource)
      expect(decodeJwt(String(token)).aud).toBe(resource)
      await expectRefused(String(token), 'audience_mismatch')
    }
  })

  test('AZ-05 has nothing to trade where its token is ours: neither side takes the other’s', async () => {
    const { access_token: token, error } = await trade(await projected(BROKER))

    expect({ token, error }).toEqual({ token: undefined, error: 'invalid_client' })
  })
})

describe('the answers', () => {
  const SOMEBODY_ELSE = 'https://somebody.else.example'

  /** Spoils the signature of a proof. */
  const forged = (proof: string): string =>
    `${proof.slice(0, proof.lastIndexOf('.') + 1)}${Buffer.alloc(256, 1).toString('base64url')}`

  const entraToken = (wish: object = {}): Promise<string> =>
    clouds.azure.requestToken({ resource: APP_URI, clientId: clouds.identity.clientId, ...wish })

  /** What is wrong, of every cloud. */
  const REFUSED: readonly (readonly [RefusalReason, () => string | Promise<string>])[] = [
    ['proof_malformed', () => 'garbage'],
    ['proof_malformed', () => 'e30.e30.e30'],
    ['proof_too_large', () => 'x'.repeat(20_000)],
    ['binding_missing', () => unmapped()],
    ['signature_invalid', async () => forged(await clouds.google.requestToken({ audience: BROKER }))],
    ['audience_mismatch', () => clouds.google.requestToken({ audience: SOMEBODY_ELSE })],
    [
      'claim_forbidden',
      () => clouds.google.sign(clouds.google.claimsOfPerson({ email: 'a@b.example', audience: BROKER })),
    ],
    ['issuer_not_trusted', () => clouds.google.signAsAccount(clouds.google.workload.account, { aud: BROKER })],
    ['signature_invalid', async () => forged(await entraToken())],
    ['key_unknown', () => signClaims(clouds.azure.claimsFor({ resource: APP_URI }), clouds.azure.consumerKey)],
    ['binding_missing', () => entraToken({ clientId: undefined })],
    ['issuer_not_trusted', () => entraToken({ tenantId: OTHER_TENANT })],
    [
      'claims_inconsistent',
      () => clouds.azure.sign({ ...clouds.azure.claimsFor({ resource: APP_URI }), tid: CONSUMERS }),
    ],
    ['claim_forbidden', () => entraToken({ delegated: true })],
    ['claim_forbidden', () => entraToken({ clientAuthentication: '1' })],
    ['audience_mismatch', () => projected('api://AzureADTokenExchange')],
    ['signature_invalid', async () => forged(await projected(BROKER))],
    [
      'binding_missing',
      () => clouds.cluster.requestToken({ ...POD, serviceAccount: 'web', pod: undefined, audiences: [BROKER] }),
    ],
  ]

  /** A genuine token of an account that nothing is bound to. */
  function unmapped(): Promise<string> {
    const { google } = clouds
    const account = 'unmapped@prod-123456.iam.gserviceaccount.com'
    google.createServiceAccount(account)
    return google.requestToken({ audience: BROKER, workload: { ...google.workload, account } })
  }

  const WISHES: readonly Parameters[] = [
    {},
    { audience: 'https://orders.example' },
    { audience: 'nothing-of-that-name' },
    { scope: 'entries:read' },
    { subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' },
    { subject_token_type: 'urn:ietf:params:oauth:token-type:access_token' },
  ]

  test('OAU-26 are one, byte for byte, whatever is wrong with a proof of whichever cloud', async () => {
    const first = await wholeAnswer(clouds.broker, 'garbage')
    expect(first).toContain(`\r\n\r\n${REFUSED_BODY}`)

    for (const [reason, makeProof] of REFUSED) {
      const answer = await wholeAnswer(clouds.broker, await makeProof())

      expect(clouds.broker.records().at(-1)?.reason).toBe(reason)
      expect(answer).toBe(first)
    }
  })

  test('OAU-26 are one for an unmapped account of Google, a forged token of Entra and garbage, whatever is wished', async () => {
    const first = await wholeAnswer(clouds.broker, 'garbage')
    const proofs = [await unmapped(), forged(await entraToken()), 'garbage']

    for (const wish of WISHES) {
      for (const proof of proofs) expect(await wholeAnswer(clouds.broker, proof, wish)).toBe(first)
    }
  })

  test('OAU-26 are other ones where nothing is wrong', async () => {
    const first = await wholeAnswer(clouds.broker, 'garbage')
    const good = [await clouds.google.requestToken({ audience: BROKER }), await entraToken(), await projected(BROKER)]

    for (const proof of good) {
      const answer = await wholeAnswer(clouds.broker, proof)
      expect(answer).toContain('HTTP/1.1 200 OK')
      expect(answer).not.toBe(first)
    }
  })
})
