/** Requests for real hosts of STS that the document does not list: AWS-33 of the catalogue. */

import { onTestFinished, test } from 'vitest'
import { ENDPOINT_KINDS } from '../../providers/aws/endpoints.ts'
import { expectRefusedUnasked, expectTaken } from '../support/aws-answers.ts'
import { awsDocumentFor, openAwsScene, trustAccounts } from '../support/aws-scene.ts'

const HOST = 'sts.us-east-1.amazonaws.com'

/** A host of each kind. */
const BY_KIND = {
  regional: HOST,
  global: 'sts.amazonaws.com',
  fips: 'sts-fips.us-east-1.amazonaws.com',
  dualstack: 'sts.us-east-1.api.aws',
  fips_dualstack: 'sts-fips.us-east-1.api.aws',
} as const

test.each(ENDPOINT_KINDS)('AWS-33 takes the %s host and no other where it alone is listed', async (only) => {
  const own = await openAwsScene({ document: (aws) => awsDocumentFor(aws, { endpoints: [only] }) })
  onTestFinished(() => own.close())

  for (const kind of ENDPOINT_KINDS) {
    const request = own.sign({ host: BY_KIND[kind] })
    if (kind === only) await expectTaken(own, request)
    else await expectRefusedUnasked(own, request, 'endpoint_not_accepted')
  }
})

test('AWS-33 takes regional hosts alone where nothing is listed', async () => {
  const own = await openAwsScene()
  onTestFinished(() => own.close())

  await expectTaken(own, own.sign({ host: BY_KIND.regional }))
  for (const kind of ENDPOINT_KINDS.filter((name) => name !== 'regional'))
    await expectRefusedUnasked(own, own.sign({ host: BY_KIND[kind] }), 'endpoint_not_accepted')
})

test.each(['sts-fips.eu-west-1.amazonaws.com', 'sts-fips.eu-west-1.api.aws', 'sts.aws-global.api.aws', 'sts.api.aws'])(
  'AWS-33 refuses %s, which does not exist, whatever is listed',
  async (host) => {
    const own = await openAwsScene({ document: (aws) => awsDocumentFor(aws, { endpoints: ENDPOINT_KINDS }) })
    onTestFinished(() => own.close())

    await expectRefusedUnasked(own, own.sign({ host }), 'proof_malformed')
  },
)

test('AWS-33 refuses a region that is not listed', async () => {
  const settings = { regions: ['eu-west-1'], endpoints: ['regional', 'global'] }
  const own = await openAwsScene({ document: (aws) => awsDocumentFor(aws, settings) })
  onTestFinished(() => own.close())

  await expectTaken(own, own.sign({ host: 'sts.eu-west-1.amazonaws.com' }))
  for (const host of [HOST, 'sts.eu-west-2.amazonaws.com', 'sts.amazonaws.com'])
    await expectRefusedUnasked(own, own.sign({ host }), 'endpoint_not_accepted')
})

test('AWS-33 refuses a partition in which nobody is trusted, and takes it where somebody is', async () => {
  const own = await openAwsScene({ accounts: { '111122223333': { partition: 'aws-us-gov' } } })
  onTestFinished(() => own.close())
  const government = own.aws.assumeRole(own.aws.createRole('111122223333', 'payments-api'), 'one')
  const sign = (host: string) => own.aws.signedRequest(government, { host, audience: 'https://broker.example' })

  for (const host of [
    'sts.us-gov-west-1.amazonaws.com',
    'sts.cn-north-1.amazonaws.com.cn',
    'sts.eusc-de-east-1.amazonaws.eu',
  ])
    await expectRefusedUnasked(own, sign(host), 'issuer_not_trusted')
  await own.broker.replaceDocument(
    awsDocumentFor(
      own.aws,
      {},
      {
        trusted_issuers: { 'aws-prod': trustAccounts(own.aws, {}, 'aws-us-gov') },
        bindings: {
          gov: {
            trusted_issuer: 'aws-prod',
            match: { 'aws.account_id': '111122223333', 'aws.role_name': 'payments-api' },
            identity: 'payments/api',
          },
        },
      },
    ),
  )
  await expectTaken(own, sign('sts.us-gov-west-1.amazonaws.com'))
})
