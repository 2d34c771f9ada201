/** Attacks with an STS that is none, by whoever writes the document: AWS-34 of the catalogue. */

import { onTestFinished, test } from 'vitest'
import { expectTaken } from '../support/aws-answers.ts'
import { ACCOUNT, bindRole, openAwsScene, ROLE } from '../support/aws-scene.ts'
import { documentFor } from '../support/document.ts'
import { expectAccepted, expectErrors } from '../support/expect-check.ts'

const REFUSED = ['/trusted_issuers/aws-prod/sts_endpoint url_refused']

function asking(stsEndpoint: unknown, settings: object = {}): object {
  return documentFor('', {
    trusted_issuers: {
      'aws-prod': { provider: 'aws', accounts: { [ACCOUNT]: {} }, sts_endpoint: stsEndpoint, ...settings },
    },
    bindings: { 'payments-api': bindRole(ACCOUNT, ROLE, 'payments/api') },
  })
}

test.each([
  'http://sts.us-east-1.amazonaws.com',
  'http://127.0.0.1:4566',
  'http://localhost:4566',
  'http://localstack:4566',
  'https://localhost',
  'https://127.0.0.1',
  'https://169.254.169.254',
  'https://[::1]',
  'https://10.0.0.1',
  'https://evil.example',
  'https://sts.us-east-1.amazonaws.com.evil.example',
  'https://evil.example/sts.us-east-1.amazonaws.com',
  'https://sts.s3.amazonaws.com',
  'https://iam.amazonaws.com',
  'https://sts.mars-east-1.amazonaws.com',
  'https://vpce-0123456789abcdef0-abcdefgh.sts.us-east-1.vpce.amazonaws.com',
  'https://sts.us-gov-west-1.amazonaws.com',
  'https://sts.cn-north-1.amazonaws.com.cn',
  'https://sts.us-east-1.amazonaws.com:8443',
  'https://sts.us-east-1.amazonaws.com.',
  'https://sts.us-east-1.amazonaws.com/path',
  'https://sts.us-east-1.amazonaws.com/?x',
  'https://sts.us-east-1.amazonaws.com/?',
  'https://sts.us-east-1.amazonaws.com/#x',
  'https://user:password@sts.us-east-1.amazonaws.com',
  'https://*.amazonaws.com',
  'ftp://sts.us-east-1.amazonaws.com',
  'file:///etc/passwd',
  'sts.us-east-1.amazonaws.com',
  '',
])('AWS-34 refuses the sts_endpoint %j', async (endpoint) => {
  await expectErrors(asking(endpoint), REFUSED)
})

test.each(['127.0.0.1:4566', 'localstack:4566', 'sts.corp.example:443'])(
  'AWS-34 takes a host that the operator names, and that host alone: %s',
  async (host) => {
    const options = { insecureHost: [host] }

    await expectAccepted(asking(`https://${host}`), options)
    await expectAccepted(asking(`http://${host.replace(':443', ':80')}`), {
      insecureHost: [host.replace(':443', ':80')],
    })
    await expectErrors(asking(`http://${host.replace(/:\d+$/, ':4567')}`), REFUSED, options)
    await expectErrors(asking(`http://evil.example`), REFUSED, options)
    await expectErrors(asking(`http://${host}/path`), REFUSED, options)
  },
)

test('AWS-34 naming a host as private makes no STS of it', async () => {
  const settings = { private_hosts: ['sts.corp.example', '10.0.0.1'], ca_file: 'ca.pem' }

  await expectErrors(asking('https://sts.corp.example', settings), REFUSED)
  await expectErrors(asking('https://10.0.0.1', settings), REFUSED)
})

test('AWS-34 takes a host of STS itself, in the partition of the accounts', async () => {
  await expectAccepted(asking('https://sts.us-east-1.amazonaws.com'))
  await expectAccepted(asking('https://sts.us-east-1.amazonaws.com/'))
  await expectAccepted(asking('https://sts.us-gov-west-1.amazonaws.com', { partition: 'aws-us-gov' }))
  await expectErrors(asking('https://sts.us-east-1.amazonaws.com', { partition: 'aws-us-gov' }), REFUSED)
})

test('AWS-34 asks the host that the operator named, by STS’s own name', async () => {
  const scene = await openAwsScene()
  onTestFinished(() => scene.close())

  await expectTaken(scene, scene.sign({ host: 'sts.eu-west-1.amazonaws.com' }))

  await expectErrors(asking(scene.aws.origin), REFUSED)
  await expectAccepted(asking(scene.aws.origin), { insecureHost: [scene.aws.host] })
})
