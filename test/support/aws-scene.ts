/** A stand-in AWS with one role in one account, and a broker that trusts the account: what tests of AWS over HTTP begin with. */

import { AWS4_REQUEST_TYPE } from '../../providers/aws/signed-request.ts'
import type { AccountWish, Role } from '../../providers/aws/stand-in/aws-state.ts'
import type { Session } from '../../providers/aws/stand-in/sessions.ts'
import { encodeSignedRequest, type SignedRequest } from '../../providers/aws/stand-in/signed-request.ts'
import {
  type AwsStandIn,
  type AwsStandInOptions,
  type SigningWishNow,
  startAwsStandIn,
} from '../../providers/aws/stand-in/stand-in.ts'
import { type Parameters, type Reply, startTestBroker, type TestBroker, type TestBrokerOptions } from './broker.ts'
import { createTestClock, type TestClock } from './clock.ts'
import { BROKER, type DocumentParts, documentFor } from './document.ts'

/** The account of every scene, its role, and the name of the sessions of that role. */
export const ACCOUNT = '123456789012'
export const ROLE = 'payments-api'
export const SESSION_NAME = 'i-0123456789abcdef0'

/** What Google's audience header must name, for the audience that a test broker is asked for. */
export const LONG_AUDIENCE = `${BROKER}/audiences/ledger`

/** Gives the trusted issuer that takes accounts of the stand-in: all of a partition, unless the settings name others. */
export function trustAccounts(aws: AwsStandIn, settings: object = {}, partition = 'aws'): object {
  const accounts = aws.accounts().filter((account) => account.partition === partition)
  return {
    provider: 'aws',
    partition,
    sts_endpoint: aws.origin,
    accounts: Object.fromEntries(accounts.map(({ id, issuer }) => [id, { web_identity_issuer: issuer }])),
    ...settings,
  }
}

/** Gives the binding of a role to an identity. */
export function bindRole(accountId: string, roleName: unknown, identity: string, more: object = {}): object {
  return {
    trusted_issuer: 'aws-prod',
    match: { 'aws.account_id': accountId, 'aws.role_name': roleName, ...more },
    identity,
  }
}

/** Gives a document that maps {@link ROLE} of {@link ACCOUNT} to the identity `payments/api`. Parts replace what is there. */
export function awsDocumentFor(aws: AwsStandIn, settings: object = {}, parts: DocumentParts = {}): object {
  return documentFor(aws.origin, {
    trusted_issuers: { 'aws-prod': trustAccounts(aws, settings) },
    bindings: { 'payments-api': bindRole(ACCOUNT, ROLE, 'payments/api') },
    ...parts,
  })
}

export interface AwsSceneOptions {
  readonly aws?: AwsStandInOptions
  /** The accounts that there are; {@link ACCOUNT} alone by default. */
  readonly accounts?: Readonly<Record<string, AccountWish>>
  /** The document, made for the stand-in; by default {@link awsDocumentFor} it. */
  readonly document?: (aws: AwsStandIn) => object
  readonly broker?: Partial<TestBrokerOptions>
}

export interface AwsScene {
  readonly clock: TestClock
  readonly aws: AwsStandIn
  readonly broker: TestBroker
  readonly role: Role
  /** A session of the role. Its requests of one second are one request. */
  readonly session: Session
  /** Another session of the role, with credentials of its own. */
  assume(sessionName?: string): Session
  /** A genuine request for the broker, or one of another wish; of a new session each time, so that no two are the same proof. */
  sign(wish?: Partial<SigningWishNow>): SignedRequest
  /** Sends a request, or the text of one, as a signed request. */
  exchange(envelope: object | string, parameters?: Parameters): Promise<Reply>
  /** Counts the requests that the stand-in got while something was done. */
  upstreamRequests(act: () => Promise<unknown>): Promise<number>
  close(): Promise<void>
}

export async function openAwsScene(options: AwsSceneOptions = {}): Promise<AwsScene> {
  const clock = options.broker?.clock ?? createTestClock()
  const aws = await startAwsStandIn({ now: clock.now, ...options.aws })
  const accounts = { [ACCOUNT]: {}, ...options.accounts }
  for (const [id, wish] of Object.entries(accounts)) aws.createAccount(id, wish)
  const role = aws.createRole(ACCOUNT, ROLE)
  const assume = (sessionName = SESSION_NAME): Session => aws.assumeRole(role, sessionName)
  const document = options.document?.(aws) ?? awsDocumentFor(aws)
  const broker = await startTestBroker({ clock, document, insecureHosts: [aws.host], ...options.broker })
  return {
    clock,
    aws,
    broker,
    role,
    session: assume(),
    assume,
    sign: (wish = {}) => aws.signedRequest(assume(), { audience: audienceOf(wish), ...wish }),
    exchange: (envelope, parameters = {}) =>
      broker.exchange(typeof envelope === 'string' ? envelope : encodeSignedRequest(envelope as SignedRequest), {
        subject_token_type: AWS4_REQUEST_TYPE,
        ...parameters,
      }),
    async upstreamRequests(act) {
      const before = aws.requests.length
      await act()
      return aws.requests.length - before
    },
    async close() {
      await broker.stop()
      await aws.close()
    },
  }
}

/** Google's form names the audience that is asked for, and must be asked for by that name; ours names the broker. */
function audienceOf({ shape }: Partial<SigningWishNow>): string {
  return shape === 'google' ? LONG_AUDIENCE : BROKER
}
