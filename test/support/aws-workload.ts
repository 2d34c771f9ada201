/** A workload on AWS, in each place where AWS gives credentials: the prover with the environment of that place, and a stand-in. */

import { onTestFinished } from 'vitest'
import { awsProver } from '../../providers/aws/prover.ts'
import type { AccountWish, Role } from '../../providers/aws/stand-in/aws-state.ts'
import type { Session } from '../../providers/aws/stand-in/sessions.ts'
import { type AwsStandIn, startAwsStandIn } from '../../providers/aws/stand-in/stand-in.ts'
import type { Proven, Prover } from '../../providers/contract/provider.ts'
import { lendEnvironment } from '../../providers/kit/stand-in-environment.ts'
import { BROKER } from './document.ts'

export const ACCOUNT = '123456789012'

/** Nothing of this machine may lead the SDK elsewhere. */
const NOTHING_ELSE = {
  ...{ AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined, AWS_SESSION_TOKEN: undefined },
  ...{ AWS_PROFILE: undefined, AWS_REGION: undefined, AWS_DEFAULT_REGION: undefined, AWS_ROLE_ARN: undefined },
  ...{ AWS_WEB_IDENTITY_TOKEN_FILE: undefined, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: undefined },
  ...{ AWS_CONTAINER_CREDENTIALS_FULL_URI: undefined, AWS_CONTAINER_AUTHORIZATION_TOKEN: undefined },
  ...{ AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: undefined, AWS_USE_FIPS_ENDPOINT: undefined },
  ...{ AWS_USE_DUALSTACK_ENDPOINT: undefined, AWS_ENDPOINT_URL: undefined, AWS_ENDPOINT_URL_STS: undefined },
  ...{ AWS_EC2_METADATA_DISABLED: 'true', AWS_MAX_ATTEMPTS: undefined },
  ...{ AWS_CONFIG_FILE: '/nonexistent/config', AWS_SHARED_CREDENTIALS_FILE: '/nonexistent/credentials' },
}

export interface Workload {
  readonly aws: AwsStandIn
  readonly role: Role
  readonly session: Session
  /** Puts this process into a place, until the test has finished. The endpoint is the stand-in's unless it is named. */
  enter(environment: Readonly<Record<string, string | undefined>>): void
  /** Makes a prover, whose clock is `now`. */
  prover(settings?: unknown): Prover
  prove(settings?: object, signal?: AbortSignal): Promise<Proven>
  /** The names of the actions that STS was asked for since the beginning, in order. */
  actions(): readonly string[]
  /** The prover's own clock, in seconds. */
  now: number
}

const NEVER = new AbortController().signal

/** Starts a stand-in with one role, and enters no place yet. Clocks are the system's, as the SDK's is. */
export async function openWorkload(account: AccountWish = {}): Promise<Workload> {
  const aws = await startAwsStandIn()
  aws.createAccount(ACCOUNT, account)
  const role = aws.createRole(ACCOUNT, 'payments-api', { path: '/service-role/' })
  onTestFinished(() => aws.close())
  const workload: Workload = {
    aws,
    role,
    session: aws.assumeRole(role, 'one'),
    now: 1_768_478_400,
    enter(environment) {
      const endpoint = { AWS_ENDPOINT_URL_STS: aws.origin, AWS_REGION: 'us-east-1' }
      onTestFinished(lendEnvironment({ ...NOTHING_ELSE, ...endpoint, ...environment }))
    },
    prover: (settings = {}) =>
      awsProver.createProver(settings, {
        env: process.env,
        readFile: () => Promise.reject(new Error('no such file')),
        now: () => workload.now,
      }),
    prove: (settings, signal = NEVER) => workload.prover(settings).prove({ proofAudience: BROKER }, signal),
    actions: () => aws.requests.flatMap(({ body }) => new URLSearchParams(body).get('Action') ?? []),
  }
  return workload
}

/** The variables of whoever was given credentials by hand. */
export function keysOf({ accessKeyId, secretAccessKey, sessionToken }: Session): Record<string, string | undefined> {
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  }
}
