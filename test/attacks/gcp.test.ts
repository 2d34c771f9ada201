/** Attacks with identity tokens of Google: the GCP rows of whom a token is for, who signed it, and whom it is about. */

import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import type { Claims } from '../../providers/kit/stand-in-keys.ts'
import { BROKER } from '../support/document.ts'
import { type GoogleScene, googleBinding, googleDocument, openGoogleScene, subjectOf } from '../support/google-scene.ts'
import { startKeyHosts } from '../support/key-hosts.ts'

let scene: GoogleScene
/** Its broker has no keys until the last test of this file: what gets as far as its key is a request. */
let cold: GoogleScene
beforeAll(async () => {
  scene = await openGoogleScene()
  cold = await openGoogleScene()
})
afterAll(async () => {
  await scene.close()
  await cold.close()
})

const GOOGLE = 'https://accounts.google.com'
const CERTS = 'https://www.googleapis.com/oauth2/v3/certs'
const ACCOUNT_KEYS = '/service_accounts/v1/jwk/'

const account = (): string => scene.cloud.workload.account
const subject = (): string => subjectOf(scene.cloud)

test('a genuine token gets one for its identity', async () => {
  const { record } = await scene.issues(await scene.proof())

  expect(record).toMatchObject({ identity: 'payments/api', trusted_issuer: 'google', subject: subject() })
})

/** Audiences that contain ours, and are somebody else's. */
const NEARLY_OURS = [
  `https://evil.example/${BROKER}`,
  `evil${BROKER}`,
  `https://evil.example?${BROKER}`,
  `https://evil.example#${BROKER}`,
  `https://evil.example@broker.example`,
  'https://evil-broker.example',
  'https://x.broker.example',
  'http://broker.example',
  'broker.example',
  '//broker.example',
  `${BROKER}.evil.example`,
  `${BROKER}@evil.example`,
  `${BROKER}/`,
  `${BROKER}/token`,
  `${BROKER}:443`,
  `${BROKER} `,
  ` ${BROKER}`,
  `${BROKER}\n`,
  `${BROKER}\u0000`,
  `${BROKER},https://evil.example`,
  `https://evil.example ${BROKER}`,
  BROKER.toUpperCase(),
  'https://br\u043eker.example',
  'https://broker%2eexample',
]

test.each(NEARLY_OURS)('GCP-01 refuses an audience that merely looks like ours: %j', async (audience) => {
  await scene.refuses(await scene.proof({ audience }), 'audience_mismatch')
})

test('GCP-01 takes ours, and refuses it beside another, in whatever order', async () => {
  for (const aud of [
    [BROKER, 'https://evil.example'],
    ['https://evil.example', BROKER],
    [BROKER, BROKER],
  ])
    await scene.refuses(await scene.forge({ aud }), 'audience_not_single')

  await scene.issues(await scene.proof({ audience: BROKER }))
  await scene.issues(await scene.forge({ aud: [BROKER] }))
})

const NO_AUDIENCE = [undefined, '', null, [], [''], {}, { aud: BROKER }, [[BROKER]], [null], 0, 1, true]

test.each(NO_AUDIENCE)('GCP-02 refuses %j for an audience', async (aud) => {
  await scene.refuses(await scene.forge({ aud }), 'audience_mismatch')
})

test('GCP-02 refuses an audience under any other name', async () => {
  const misspelled = await scene.forge({ aud: undefined, audience: BROKER, Aud: BROKER, 'aud ': BROKER })
  await scene.refuses(misspelled, 'audience_mismatch')

  await scene.issues(await scene.forge({}))
})

/** Others that Google signs as, and spellings of the right one. */
const OTHER_ISSUERS = [
  'accounts.google.com',
  'http://accounts.google.com',
  `${GOOGLE}/`,
  `${GOOGLE}:443`,
  `${GOOGLE}.`,
  `${GOOGLE}?`,
  `${GOOGLE}#`,
  `${GOOGLE} `,
  `${GOOGLE}\n`,
  `${GOOGLE}.evil.example`,
  `https://evil.example/${GOOGLE}`,
  'https://accounts.google.com@evil.example',
  'https://user@accounts.google.com',
  'HTTPS://ACCOUNTS.GOOGLE.COM',
  'https://Accounts.google.com',
  'https://accounts%2egoogle.com',
  'https://accounts.g\u043eogle.com',
  '//accounts.google.com',
  'https://securetoken.google.com/p',
  'https://securetoken.google.com/prod-123456',
  'https://session.firebase.google.com/prod-123456',
  'https://cloud.google.com/iap',
  'https://confidentialcomputing.googleapis.com',
  'https://www.googleapis.com',
  'https://sts.googleapis.com',
  'https://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x',
  'https://container.googleapis.com/v1/projects/prod-123456/locations/us-central1/clusters/c',
  '',
  null,
  undefined,
  [GOOGLE],
  { iss: GOOGLE },
]

test.each(OTHER_ISSUERS)('GCP-03 refuses the issuer %j, and asks nobody', async (iss) => {
  await cold.refusesUnasked(await cold.forge({ iss }), 'issuer_not_trusted')
})

test('GCP-03 takes the right one', async () => {
  await scene.issues(await scene.forge({ iss: GOOGLE }))
})

/** Signs with the account's own key: without more claims, what Google's documentation calls a self-signed JWT. */
function signAsAccount({ cloud }: GoogleScene, claims: Claims = {}, header: Claims = {}): Promise<string> {
  return cloud.signAsAccount(cloud.workload.account, { aud: BROKER, ...claims }, header)
}

test('GCP-05 refuses a token that the account signed with its own key, and looks for no key', async () => {
  const { cloud } = cold
  const email = cloud.workload.account
  const keysUrl = `${cloud.origin}${ACCOUNT_KEYS}${email}`
  const asGoogle = cloud.claimsFor({ audience: BROKER })
  const sub = subjectOf(cloud)

  for (const claims of [
    {},
    { email, email_verified: true, azp: email },
    { iss: sub, sub, azp: sub },
    { iss: keysUrl, sub, azp: sub },
    { ...asGoogle, iss: email },
  ]) {
    await cold.refusesUnasked(await signAsAccount(cold, claims), 'issuer_not_trusted')
    const underGooglesKey = await signAsAccount(cold, claims, { kid: cloud.key.keyId })
    await cold.refusesUnasked(underGooglesKey, 'issuer_not_trusted')
  }
  for (const header of [{ jku: keysUrl }, { x5u: keysUrl }, { jwk: cloud.key.jwk }])
    await cold.refusesUnasked(await signAsAccount(cold, asGoogle, header), 'header_forbidden')
})

test('GCP-05 refuses it in Google’s name too, and never asks for the account’s keys', async () => {
  const asGoogle = scene.cloud.claimsFor({ audience: BROKER })
  const { keyId } = scene.cloud.key

  await scene.refuses(await signAsAccount(scene, asGoogle), 'key_unknown')
  await scene.refuses(await signAsAccount(scene, asGoogle, { kid: keyId }), 'signature_invalid')

  await scene.issues(await scene.proof())
  const paths = scene.cloud.requests.map(({ path }) => path)
  expect(paths).not.toEqual([])
  expect(paths.filter((path) => path.startsWith(ACCOUNT_KEYS))).toEqual([])
})

test('GCP-05 asks nobody for it where keys come from Google itself', async () => {
  const hosts = await startKeyHosts(['www.googleapis.com', 'accounts.google.com', 'iam.googleapis.com'])
  onTestFinished(() => hosts.close())
  const { proxy, files } = hosts.ports
  const live = await openGoogleScene({
    document: (google) =>
      googleDocument(google, { trusted_issuers: { google: { provider: 'gcp', ca_file: 'ca.pem' } } }),
    broker: { flags: { 'egress-proxy': proxy.origin }, secrets: { 'ca.pem': String(files['ca.pem']) } },
  })
  onTestFinished(() => live.close())
  hosts.publish(CERTS, ...live.cloud.jwks.keys)
  const url = `https://www.googleapis.com${ACCOUNT_KEYS}${live.cloud.workload.account}`

  for (const claims of [{}, { iss: url }, { iss: 'https://iam.googleapis.com' }, { iss: `${GOOGLE}/` }])
    await live.refuses(await signAsAccount(live, claims), 'issuer_not_trusted')
  expect(hosts.urls()).toEqual([])

  await live.issues(await live.proof())
  expect(hosts.urls()).toEqual([CERTS])
})

test('GCP-06 refuses it with a virtual machine of its own making', async () => {
  const bound = await openGoogleScene({
    document: (google) => {
      const machine = { 'gcp.project_id': 'prod-123456', 'gcp.instance_name': 'vm-1' }
      return googleDocument(google, { bindings: { vm: googleBinding(subjectOf(google), machine) } })
    },
  })
  onTestFinished(() => bound.close())
  const { google, ...others } = bound.cloud.claimsFor({ audience: BROKER })
  const sub = subjectOf(bound.cloud)

  await bound.refusesUnasked(await signAsAccount(bound, { google }), 'issuer_not_trusted')
  await bound.refusesUnasked(await signAsAccount(bound, { google, azp: sub, sub }), 'issuer_not_trusted')
  await bound.refuses(await signAsAccount(bound, { google, ...others }), 'key_unknown')
  const header = { kid: bound.cloud.key.keyId }
  await bound.refuses(await signAsAccount(bound, { google, ...others }, header), 'signature_invalid')

  await bound.issues(await bound.proof())
})

const CLIENT = '407408718192-abc.apps.googleusercontent.com'
const PERSON = { email: 'ada@corp.example', audience: BROKER } as const

test('GCP-07 refuses a person’s token', async () => {
  const person = scene.cloud.claimsOfPerson(PERSON)
  const ofDomain = scene.cloud.claimsOfPerson({ ...PERSON, hostedDomain: 'corp.example' })
  const plain = { ...person, at_hash: undefined }

  await scene.refuses(await scene.cloud.sign(person), 'claim_forbidden')
  await scene.refuses(await scene.cloud.sign(ofDomain), 'claim_forbidden')
  await scene.refuses(await scene.cloud.sign({ ...ofDomain, at_hash: undefined }), 'claim_forbidden')
  await scene.refuses(await scene.cloud.sign(plain), 'claims_inconsistent')
  await scene.refuses(await scene.cloud.sign({ ...plain, sub: subject() }), 'claims_inconsistent')
  await scene.refuses(await scene.cloud.sign({ ...plain, email: account(), sub: subject() }), 'claims_inconsistent')
  await scene.refuses(await scene.cloud.sign({ ...person, aud: CLIENT }), 'audience_mismatch')

  await scene.issues(await scene.proof())
})

const PERSONAL = {
  hd: 'corp.example',
  name: 'Ada',
  given_name: 'Ada',
  family_name: 'Lovelace',
  picture: 'https://lh3.googleusercontent.com/a/x',
  profile: 'https://profiles.google.com/x',
  locale: 'en',
  nonce: 'n-0S6_WzA2Mj',
  at_hash: 'x0lvGkxVJBlR4rGF8kZz7w',
  c_hash: 'x0lvGkxVJBlR4rGF8kZz7w',
} as const

test.each(Object.entries(PERSONAL))(
  'GCP-07 refuses the mark of a person %s, whatever azp says',
  async (name, value) => {
    for (const mark of [value, null]) await scene.refuses(await scene.forge({ [name]: mark }), 'claim_forbidden')
  },
)

test('GCP-13 refuses a token whose azp is anybody but the account', async () => {
  const other = scene.cloud.createServiceAccount('billing@prod-123456.iam.gserviceaccount.com')
  const wrong = [CLIENT, other.uniqueId, other.email, `${subject()} `, `0${subject()}`, subject().slice(0, -1), BROKER]
  for (const azp of [...wrong, account().toUpperCase(), ` ${account()}`, `${account()}.evil.example`])
    await scene.refuses(await scene.forge({ azp }), 'claims_inconsistent')
  for (const azp of ['', null, [subject()], { sub: subject() }, true, 1])
    await scene.refuses(await scene.forge({ azp }), 'claim_invalid')
  await scene.refuses(await scene.forge({ azp: undefined }), 'claim_missing')
  await scene.refuses(await scene.forge({ sub: undefined }), 'claim_missing')
  await scene.refuses(await scene.forge({ sub: other.uniqueId }), 'claims_inconsistent')

  await scene.issues(await scene.forge({ azp: subject() }))
})

test('GCP-13 takes the account’s verified address for azp, as Google’s own libraries ask for it', async () => {
  const azp = account()

  await scene.issues(await scene.proof({ useEmailAzp: true }))
  await scene.refuses(await scene.forge({ azp, email: undefined, email_verified: undefined }), 'claims_inconsistent')
  await scene.refuses(await scene.forge({ azp, email_verified: false }), 'claim_invalid')
  await scene.refuses(await scene.forge({ azp, email_verified: undefined }), 'claim_invalid')
  await scene.refuses(await scene.forge({ azp: 'ada@corp.example', email: 'ada@corp.example' }), 'claim_invalid')
})

test('GCP-03, GCP-05 the broker that was asked for all this had no keys until a genuine token came', async () => {
  expect(cold.cloud.requests).toEqual([])

  await cold.issues(await cold.proof())

  expect(cold.cloud.requests.map(({ path }) => path)).toEqual(['/oauth2/v3/certs'])
})
