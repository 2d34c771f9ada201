/** The stand-in's STS, asked by the official SDK, which takes it for the real one. */

import { GetCallerIdentityCommand, STSClient, type STSClientConfig, STSServiceException } from '@aws-sdk/client-sts'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Role } from '../../providers/aws/stand-in/aws-state.ts'
import { credentialsOf, type Session } from '../../providers/aws/stand-in/sessions.ts'
import { type AwsStandIn, startAwsStandIn } from '../../providers/aws/stand-in/stand-in.ts'
import { stsErrorAnswer } from '../../providers/aws/stand-in/sts-answers.ts'
import { lendEnvironment } from '../../providers/kit/stand-in-environment.ts'

/** The leading zero is lost by whoever takes it for a number. */
const ACCOUNT = '012345678901'

let aws: AwsStandIn
let role: Role
let session: Session

beforeAll(async () => {
  aws = await startAwsStandIn()
  aws.createAccount(ACCOUNT)
  role = aws.createRole(ACCOUNT, 'payments-api', { path: '/service-role/' })
  session = aws.assumeRole(role, 'i-0123456789abcdef0')
})
afterEach(() => aws.recover())
afterAll(() => aws.close())

function clientFor(config: STSClientConfig = {}): STSClient {
  const credentials = credentialsOf(session)
  return new STSClient({ region: 'us-east-1', endpoint: aws.origin, credentials, maxAttempts: 1, ...config })
}

const whoAmI = (config?: STSClientConfig) => clientFor(config).send(new GetCallerIdentityCommand({}))

async function errorOf(config?: STSClientConfig): Promise<STSServiceException> {
  const outcome: unknown = await whoAmI(config).catch((error: unknown) => error)
  if (outcome instanceof STSServiceException) return outcome
  throw new Error('not an error of STS', { cause: outcome })
}

describe('GetCallerIdentity names', () => {
  const identityOf = async (caller: Session) => {
    const { Account, Arn, UserId } = await whoAmI({ credentials: credentialsOf(caller) })
    return { Account, Arn, UserId }
  }

  test('a role by its name and session, without its path', async () => {
    expect(await identityOf(session)).toEqual({
      Account: ACCOUNT,
      Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/payments-api/i-0123456789abcdef0`,
      UserId: `${role.id}:i-0123456789abcdef0`,
    })
    expect(role.id).toMatch(/^AROA[A-Z2-7]{17}$/)
  })

  test('a user with the path, by lasting keys', async () => {
    const user = aws.createUser(ACCOUNT, 'alice', { path: '/staff/' })
    const key = aws.createAccessKey(user)

    expect(key.accessKeyId).toMatch(/^AKIA[A-Z2-7]{16}$/)
    expect(await identityOf(key)).toEqual({
      Account: ACCOUNT,
      Arn: `arn:aws:iam::${ACCOUNT}:user/staff/alice`,
      UserId: user.id,
    })
  })

  test('a root, a federated user and a person of Identity Center', async () => {
    const person = aws.assumeRole(aws.createIdentityCenterRole(ACCOUNT, 'ReadOnly'), 'bob@example.com')

    expect(await identityOf(aws.createRootKey(ACCOUNT))).toMatchObject({
      Arn: `arn:aws:iam::${ACCOUNT}:root`,
      UserId: ACCOUNT,
    })
    expect(await identityOf(aws.federateUser(ACCOUNT, 'carol'))).toMatchObject({
      Arn: `arn:aws:sts::${ACCOUNT}:federated-user/carol`,
      UserId: `${ACCOUNT}:carol`,
    })
    expect((await identityOf(person)).Arn).toMatch(
      /:assumed-role\/AWSReservedSSO_ReadOnly_[0-9a-f]{16}\/bob@example\.com$/,
    )
  })

  test('a role that was created again by another id, and the old sessions not at all', async () => {
    const first = aws.createRole(ACCOUNT, 'batch')
    const before = aws.assumeRole(first, 'run')
    aws.deleteRole(first)
    const second = aws.createRole(ACCOUNT, 'batch')

    expect(second.arn).toBe(first.arn)
    expect(second.id).not.toBe(first.id)
    expect((await identityOf(aws.assumeRole(second, 'run'))).UserId).toBe(`${second.id}:run`)
    expect((await errorOf({ credentials: credentialsOf(before) })).name).toBe('InvalidClientTokenId')
  })
})

describe('the SDK is refused', () => {
  test.each([
    ['a wrong secret', () => ({ ...credentialsOf(session), secretAccessKey: 'wrong' }), 'SignatureDoesNotMatch'],
    ['an unknown key', () => ({ ...credentialsOf(session), accessKeyId: 'ASIAUNKNOWN' }), 'InvalidClientTokenId'],
    ['another session token', () => ({ ...credentialsOf(session), sessionToken: 'other' }), 'InvalidClientTokenId'],
    [
      'no session token',
      () => {
        const { accessKeyId, secretAccessKey } = session
        return { accessKeyId, secretAccessKey }
      },
      'InvalidClientTokenId',
    ],
    [
      'a session token with lasting keys',
      () => ({ ...credentialsOf(aws.createAccessKey(aws.createUser(ACCOUNT, 'dave'))), sessionToken: 'other' }),
      'InvalidClientTokenId',
    ],
    [
      'credentials that were revoked',
      () => {
        const gone = aws.assumeRole(role, 'gone')
        aws.revoke(gone)
        return credentialsOf(gone)
      },
      'InvalidClientTokenId',
    ],
  ])('with %s', async (_, credentials, code) => {
    const error = await errorOf({ credentials: credentials() })

    expect(error.name).toBe(code)
    expect(error.$metadata.httpStatusCode).toBe(403)
    expect(error.$fault).toBe('client')
  })

  test('with an expired session, which the SDK itself would renew', async () => {
    const { expiration: _, ...credentials } = credentialsOf(aws.assumeRole(role, 'old', { durationSeconds: -1 }))

    expect((await errorOf({ credentials })).name).toBe('ExpiredToken')
  })

  test('with a signature of another region', async () => {
    const error = await errorOf({ region: 'eu-west-1' })

    expect(error.name).toBe('SignatureDoesNotMatch')
    expect(error.message).toBe('Credential should be scoped to a valid region. ')
  })

  test.each([
    [
      'a stale signature',
      -16,
      /^Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 15 min\.\)$/,
    ],
    ['an early signature', 16, /^Signature not yet current: .* is still later than .* \+ 15 min\.\)$/],
  ])('with %s', async (_, minutes, message) => {
    const error = await errorOf({ systemClockOffset: minutes * 60_000 })

    expect(error.name).toBe('SignatureDoesNotMatch')
    expect(error.message).toMatch(message)
  })

  test('where the account is of another partition', async () => {
    aws.createAccount('222222222222', { partition: 'aws-cn' })
    const credentials = credentialsOf(aws.assumeRole(aws.createRole('222222222222', 'api'), 'one'))

    expect((await errorOf({ credentials })).name).toBe('InvalidClientTokenId')
  })

  test('when it is throttled, and tries again where it may', async () => {
    aws.fail('/', stsErrorAnswer('throttled', 'xml'))
    const before = aws.requests.length

    await expect(whoAmI({ maxAttempts: 2 })).rejects.toMatchObject({ name: 'Throttling' })
    expect(aws.requests.length - before).toBe(2)
  })
})

describe('the SDK comes through', () => {
  test('with a clock that is wrong, once the answer has told it the time', async () => {
    const tomorrow = await startAwsStandIn({ now: () => Math.floor(Date.now() / 1_000) + 86_400 })
    tomorrow.createAccount(ACCOUNT)
    const credentials = credentialsOf(tomorrow.assumeRole(tomorrow.createRole(ACCOUNT, 'api'), 'one'))

    expect((await whoAmI({ endpoint: tomorrow.origin, credentials, maxAttempts: 2 })).Account).toBe(ACCOUNT)
    expect(tomorrow.requests).toHaveLength(2)
    await tomorrow.close()
  })

  test('by the variable that names its endpoint', async () => {
    const giveBack = lendEnvironment({ AWS_ENDPOINT_URL_STS: aws.origin })
    const client = new STSClient({ region: 'us-east-1', credentials: credentialsOf(session) })

    expect((await client.send(new GetCallerIdentityCommand({})).finally(giveBack)).Account).toBe(ACCOUNT)
  })

  test('to a stand-in of another region', async () => {
    const frankfurt = await startAwsStandIn({ region: 'eu-central-1' })
    frankfurt.createAccount(ACCOUNT)
    const credentials = credentialsOf(frankfurt.assumeRole(frankfurt.createRole(ACCOUNT, 'api'), 'one'))
    const client = clientFor({ endpoint: frankfurt.origin, region: 'eu-central-1', credentials })

    expect((await client.send(new GetCallerIdentityCommand({}))).Account).toBe(ACCOUNT)
    await frankfurt.close()
  })
})
