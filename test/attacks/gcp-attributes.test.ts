/** Attacks with what identity tokens of Google say of an account and of its machine: the GCP rows of bindings that ask for more. */

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type GoogleScene, googleBinding, googleDocument, openGoogleScene, subjectOf } from '../support/google-scene.ts'

const EMAIL = 'payments@prod-123456.iam.gserviceaccount.com'

/** A scene whose one binding pins the account, and asks for more. */
function openBound(more: object): Promise<GoogleScene> {
  return openGoogleScene({
    document: (google) => googleDocument(google, { bindings: { only: googleBinding(subjectOf(google), more) } }),
  })
}

describe('a binding on the address too', () => {
  let scene: GoogleScene
  beforeAll(async () => {
    scene = await openBound({ 'gcp.email': EMAIL })
  })
  afterAll(() => scene.close())

  test('GCP-09 takes the address that Google verified', async () => {
    const { record } = await scene.issues(await scene.proof())

    expect(record?.attributes).toMatchObject({ 'gcp.email': EMAIL })
  })

  const UNVERIFIED = [false, 'true', 'True', '1', 1, 0, null, undefined, '', [true], { value: true }]

  test.each(UNVERIFIED)('GCP-09 refuses an address whose email_verified is %j', async (verified) => {
    await scene.refuses(await scene.forge({ email_verified: verified }), 'claim_invalid')
  })

  test('GCP-09 refuses a token without the address', async () => {
    await scene.refuses(await scene.proof({ includeEmail: false }), 'binding_missing')
    await scene.refuses(await scene.forge({ email: undefined }), 'binding_missing')
    await scene.refuses(await scene.forge({ email: undefined, 'https://e/email': EMAIL }), 'binding_missing')
    for (const email of ['', null, [EMAIL], { email: EMAIL }, 7])
      await scene.refuses(await scene.forge({ email }), 'claim_invalid')
  })

  const NO_ACCOUNTS = [
    `${EMAIL}.evil.com`,
    'x@prod.iam.gserviceaccount.com.evil.com',
    `${EMAIL}@evil.com`,
    `evil.com/${EMAIL}`,
    'payments@gmail.com',
    'payments@prod-123456.iam.gserviceaccount.com\n',
    ` ${EMAIL}`,
    `${EMAIL} `,
    `${EMAIL}.`,
    `${EMAIL}\u0000`,
    `<${EMAIL}>`,
    `"${EMAIL}"`,
    `${EMAIL},eve@evil.com`,
    'Payments@prod-123456.iam.gserviceaccount.com',
    EMAIL.toUpperCase(),
    'payments+x@prod-123456.iam.gserviceaccount.com',
    'payments%40prod-123456.iam.gserviceaccount.com',
    'p\u0430yments@prod-123456.iam.gserviceaccount.com',
    'payments@prod-123456.iam.gserviceaccount.c\u043em',
    'payment\u017f@prod-123456.iam.gserviceaccount.com',
    '\uff50ayments@prod-123456.iam.gserviceaccount.com',
    'payments\u200b@prod-123456.iam.gserviceaccount.com',
    'payments@prod-123456.iam.gserviceaccount\u3002com',
    '@prod-123456.iam.gserviceaccount.com',
    'payments@.iam.gserviceaccount.com',
    'payments@prod-123456.gserviceaccount.com.iam',
    'payments@prod-123456.iam-gserviceaccount.com',
    'payments@prod-123456.iamXgserviceaccount.com',
    'payments@prod-123456.iam.evilgserviceaccount.com',
    'principal://iam.googleapis.com/x',
    `${'a'.repeat(255)}@prod-123456.iam.gserviceaccount.com`,
  ]

  test.each(NO_ACCOUNTS)('GCP-10 refuses the address %j, which is no service account’s', async (email) => {
    await scene.refuses(await scene.forge({ email }), 'claim_invalid')
  })

  const OTHER_ACCOUNTS = [
    'payments-evil@prod-123456.iam.gserviceaccount.com',
    'xpayments@prod-123456.iam.gserviceaccount.com',
    'pay.ments@prod-123456.iam.gserviceaccount.com',
    'payments@prod-123456-evil.iam.gserviceaccount.com',
    'payments@xprod-123456.iam.gserviceaccount.com',
    'payments@prod-123456.evil.com.iam.gserviceaccount.com',
    'prod-123456@appspot.gserviceaccount.com',
    '716149158341-compute@developer.gserviceaccount.com',
  ]

  test.each(OTHER_ACCOUNTS)('GCP-10 refuses the address %s, which is another account’s', async (email) => {
    await scene.refuses(await scene.forge({ email }), 'binding_missing')
  })
})

const MACHINE = {
  'gcp.project_id': 'prod-123456',
  'gcp.project_number': '716149158341',
  'gcp.zone': 'us-central1-a',
  'gcp.instance_id': '4340508760561261530',
  'gcp.instance_name': 'vm-1',
} as const

describe('a binding on the machine too', () => {
  let scene: GoogleScene
  beforeAll(async () => {
    scene = await openBound(MACHINE)
  })
  afterAll(() => scene.close())

  /** A token whose machine is another one. Undefined removes a member. */
  const forgeMachine = (members: object): Promise<string> => {
    const { instance } = scene.cloud.workload
    return scene.forge({ google: { compute_engine: { ...instance, ...members } } })
  }

  test('GCP-14 takes the machine’s token in format=full, and refuses the one in format=standard', async () => {
    const { record } = await scene.issues(await scene.proof({ format: 'full' }))

    expect(record?.attributes).toMatchObject(MACHINE)
    await scene.issues(await scene.proof({ format: 'full', licenses: true }))
    await scene.refuses(await scene.proof({ format: 'standard' }), 'binding_missing')
  })

  test.each(Object.entries(MACHINE))(
    'GCP-14 refuses format=standard where a binding asks for %s',
    async (name, value) => {
      const bound = await openBound({ [name]: value })
      onTestFinished(() => bound.close())

      await bound.issues(await bound.proof({ format: 'full' }))
      await bound.refuses(await bound.proof({ format: 'standard' }), 'binding_missing')
    },
  )

  test('GCP-14 refuses the account’s token from anywhere else', async () => {
    const { workload } = scene.cloud
    for (const place of ['serverless', 'gke_pod'] as const)
      await scene.refuses(await scene.proof({ workload: { ...workload, place } }), 'binding_missing')
  })

  const ELSEWHERE = [undefined, {}, { organization_number: 1 }, { organization_number: null }, { compute: MACHINE }]

  test.each(ELSEWHERE)('GCP-14 refuses %j for Google’s claim, whatever is said beside it', async (google) => {
    const { instance } = scene.cloud.workload
    const beside = { compute_engine: instance, 'google.compute_engine': instance, Google: { compute_engine: instance } }

    await scene.refuses(await scene.forge({ google }), 'binding_missing')
    await scene.refuses(await scene.forge({ google, ...instance, ...beside }), 'binding_missing')
  })

  const OTHER_MACHINES = [
    { project_id: 'prod-1234567' },
    { project_id: 'evil.com:prod-123456' },
    { project_number: 716149158342 },
    { zone: 'us-central1-b' },
    { instance_id: '4340508760561261531' },
    { instance_name: 'vm-11' },
    { instance_name: 'vm-1-evil' },
  ]

  test.each(OTHER_MACHINES)('GCP-14 refuses another machine: %j', async (members) => {
    await scene.refuses(await forgeMachine(members), 'binding_missing')
  })

  const NO_MACHINES = [
    { project_id: 'PROD-123456' },
    { project_id: '../prod-123456' },
    { project_id: 'prod-123456\n' },
    { project_id: ['prod-123456'] },
    { project_number: '716149158341' },
    { project_number: 716149158341.5 },
    { project_number: -716149158341 },
    { project_number: 2 ** 53 },
    { zone: 'projects/1/zones/us-central1-a' },
    { zone: 'us-central1-a ' },
    { instance_id: 4340508760561261 },
    { instance_id: '04340508760561261530' },
    { instance_id: '0x3c3d' },
    { instance_name: 'VM-1' },
    { instance_name: 'vm-1.evil.example' },
    { instance_name: '' },
    { instance_name: null },
  ]

  test.each(NO_MACHINES)('GCP-14 refuses what is no machine: %j', async (members) => {
    await scene.refuses(await forgeMachine(members), 'claim_invalid')
  })

  const MEMBERS = ['project_id', 'project_number', 'zone', 'instance_id', 'instance_name']

  test.each(MEMBERS)('GCP-14 refuses a machine without its %s', async (member) => {
    await scene.refuses(await forgeMachine({ [member]: undefined }), 'claim_missing')
  })

  const NO_OBJECTS = [null, 'compute_engine', [], [MACHINE], 1, true]

  test.each(NO_OBJECTS)('GCP-14 refuses %j where a machine should be', async (value) => {
    await scene.refuses(await scene.forge({ google: value }), 'claim_invalid')
    await scene.refuses(await scene.forge({ google: { compute_engine: value } }), 'claim_invalid')
  })
})

describe('an account that was created again', () => {
  let plain: GoogleScene
  beforeAll(async () => {
    plain = await openGoogleScene()
  })
  afterAll(() => plain.close())

  test('GCP-15 is another one to the binding of the old', async () => {
    const scene = await openGoogleScene()
    onTestFinished(() => scene.close())
    const before = await scene.proof()
    await scene.issues(before)

    scene.cloud.deleteServiceAccount(EMAIL)
    const again = scene.cloud.createServiceAccount(EMAIL)
    const after = await scene.proof()
    await scene.refuses(after, 'binding_missing')
    await scene.refuses(await scene.proof({ useEmailAzp: true }), 'binding_missing')
    expect(scene.broker.records().at(-1)).toMatchObject({ subject: again.uniqueId, attributes: { 'gcp.email': EMAIL } })

    await scene.broker.replaceDocument(googleDocument(scene.cloud))
    await scene.issues(after)
    await scene.refuses(before, 'binding_missing')
  })

  test('GCP-15 is another one where the binding asks for the address too', async () => {
    const scene = await openBound({ 'gcp.email': EMAIL })
    onTestFinished(() => scene.close())
    await scene.issues(await scene.proof())

    scene.cloud.deleteServiceAccount(EMAIL)
    scene.cloud.createServiceAccount(EMAIL)

    await scene.refuses(await scene.proof(), 'binding_missing')
  })

  const NO_IDS = [
    '',
    ' ',
    '0',
    '-1',
    '1e20',
    EMAIL,
    '110987294251917851298 ',
    '１１０９８７',
    '+1109872942',
    '1.0',
    null,
    1,
  ]

  test.each(NO_IDS)('GCP-15 refuses %j, which is no id of an account', async (sub) => {
    await plain.refuses(await plain.forge({ sub, azp: sub }), 'claim_invalid')
  })

  test('GCP-15 is told from others to the digit', async () => {
    const id = subjectOf(plain.cloud)

    await plain.issues(await plain.forge({ sub: id, azp: id }))
    for (const near of [`${id}0`, id.slice(0, -1), String(BigInt(id) + 1n)])
      await plain.refuses(await plain.forge({ sub: near, azp: near }), 'binding_missing')
  })
})
