/** Attacks with tokens that a broker made: its own, and those of a broker of another realm. */

import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import type { KubernetesStandIn } from '../../providers/kubernetes/stand-in/stand-in.ts'
import { expectIssued, expectProofRefused } from '../support/answers.ts'
import { ACCESS_TOKEN_TYPE, JWT_TYPE, startTestBroker, type TestBroker } from '../support/broker.ts'
import { BROKER, bindingFor, documentFor } from '../support/document.ts'
import { expectRefusedUnasked } from '../support/refused-unasked.ts'
import { runCheck } from '../support/run-check.ts'
import { openScene, type Scene } from '../support/scene.ts'

const OTHER_BROKER = 'https://broker.other.example'
/** Another name that proofs for this broker could be made for. */
const SELF = 'https://self.example'
const ID_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:id_token'

/** What a cluster would say of the pod, said by an administrator of identities. */
const BORROWED = { 'kubernetes.io': { namespace: 'payments', serviceaccount: { name: 'api', uid: 'uid-1' } } }

let scene: Scene
let other: TestBroker
beforeAll(async () => {
  scene = await openScene({ cluster: { algorithm: 'ES256' }, document: (made) => documentWith(made) })
  const { clock, cluster } = scene
  cluster.createServiceAccount('payments', 'borrower')
  const flags = { issuer: OTHER_BROKER }
  other = await startTestBroker({ clock, document: documentWith(cluster), insecureHosts: [cluster.host], flags })
})
afterAll(async () => {
  await other.stop()
  await scene.close()
})

test('JWT-30 refuses its own access token, under any of the types, and asks nobody', async () => {
  const own = await tokenFrom(scene.broker, 'ledger')
  for (const type of [JWT_TYPE, ACCESS_TOKEN_TYPE, ID_TOKEN_TYPE]) {
    await expectRefusedUnasked(scene, own, 'type_not_accepted', { subject_token_type: type })
  }
})

test('JWT-30 refuses its own token of the type JWT, made for itself, and asks nobody', async () => {
  const own = await tokenFrom(scene.broker, BROKER)
  for (const type of [JWT_TYPE, ACCESS_TOKEN_TYPE, ID_TOKEN_TYPE]) {
    await expectRefusedUnasked(scene, own, 'issuer_not_trusted', { subject_token_type: type })
  }
})

test('JWT-30 refuses the tokens of another realm’s broker, even those made for this one', async () => {
  await expectRefusedUnasked(scene, await tokenFrom(other, 'ledger'), 'type_not_accepted')
  await expectRefusedUnasked(scene, await tokenFrom(other, BROKER), 'issuer_not_trusted')
})

test('JWT-30 refuses them even where the document takes the other broker for a cluster', async () => {
  const { json: jwks } = await other.send('/.well-known/jwks.json')
  const trusting = await openScene({
    cluster: { algorithm: 'ES256' },
    document: (cluster) => trustingBroker(cluster, OTHER_BROKER, jwks, BROKER),
  })
  onTestFinished(() => trusting.close())

  const typed = await trusting.broker.exchange(await tokenFrom(other, 'ledger'))
  const plain = await trusting.broker.exchange(await tokenFrom(other, BROKER))
  const borrowing = await trusting.broker.exchange(await tokenFrom(other, BROKER, 'borrower'))

  expectProofRefused(trusting.broker, typed, 'type_not_accepted')
  expectProofRefused(trusting.broker, plain, 'claim_missing')
  expectProofRefused(trusting.broker, borrowing, 'claims_inconsistent')
})

test('JWT-30 refuses its own tokens even where the document takes this broker for a cluster', async () => {
  const { json: jwks } = await scene.broker.send('/.well-known/jwks.json')
  const plain = await tokenFrom(scene.broker, SELF)
  const borrowing = await tokenFrom(scene.broker, SELF, 'borrower')

  await scene.broker.replaceDocument(trustingBroker(scene.cluster, BROKER, jwks, SELF))
  onTestFinished(() => scene.broker.replaceDocument(documentWith(scene.cluster)))

  expectProofRefused(scene.broker, await scene.broker.exchange(plain), 'claim_missing')
  expectProofRefused(scene.broker, await scene.broker.exchange(borrowing), 'claims_inconsistent')
})

test('JWT-30 refuses a document that takes the broker for a cluster whose proofs are made for the broker', async () => {
  const { json: jwks } = await scene.broker.send('/.well-known/jwks.json')
  const document = trustingBroker(scene.cluster, BROKER, jwks, BROKER)

  const { code, findings } = await runCheck(document, { insecureHost: [scene.cluster.host] })

  expect(code).toBe(1)
  expect(findings).toMatchObject([{ path: '/trusted_issuers/broker/issuers/0', code: 'proof_audience_foreign' }])
})

/** Two accounts, one of whose identities says what a cluster would; one audience that is a broker, one that is another's name. */
function documentWith(cluster: KubernetesStandIn, more: Readonly<Record<string, object>> = {}): object {
  const grants = { ledger: ['entries:read'], [BROKER]: [], [SELF]: [] }
  return documentFor(cluster.issuer, {
    trusted_issuers: { cluster: { provider: 'kubernetes', issuers: [cluster.issuer] }, ...more },
    audiences: { ledger: { scopes: ['entries:read'] }, [BROKER]: { token_type: 'JWT' }, [SELF]: { token_type: 'JWT' } },
    identities: { 'payments/api': { grants }, 'payments/borrower': { grants, claims: BORROWED } },
    bindings: {
      api: bindingFor('payments', 'api', 'payments/api'),
      borrower: bindingFor('payments', 'borrower', 'payments/borrower'),
      ...(more.broker === undefined
        ? {}
        : { stolen: { ...bindingFor('payments', 'api', 'payments/api'), trusted_issuer: 'broker' } }),
    },
  })
}

/** A document that takes a broker for a cluster, with that broker's own keys. */
function trustingBroker(cluster: KubernetesStandIn, issuer: string, jwks: object, proofAudience: string): object {
  const keys = { from: 'inline', jwks }
  const broker = { provider: 'kubernetes', issuers: [issuer], keys, proof_audiences: [proofAudience] }
  return documentWith(cluster, { broker })
}

/** Gives a token of a broker for an account of the cluster. */
async function tokenFrom(broker: TestBroker, audience: string, serviceAccount = 'api'): Promise<string> {
  const proof = await scene.proof({ serviceAccount, pod: undefined })
  return expectIssued(broker, await broker.exchange(proof, { audience })).token
}
