/** A client of STS beside a server that answers what it is told, over real sockets. */

import { onTestFinished } from 'vitest'
import type { SignedRequest } from '../../providers/aws/signed-request.ts'
import { createStsClient } from '../../providers/aws/sts-client.ts'
import {
  type StandInAnswer,
  type StandInRequest,
  type StandInServer,
  startStandInServer,
} from '../../providers/kit/stand-in-server.ts'
import { signedRequest } from './aws-parts.ts'
import { createTestClock, type TestClock } from './clock.ts'
import { createTestPorts, type TestPorts } from './provider-ports.ts'

/** What STS answers to a session of the role `payments-api`. */
export const IDENTITY = {
  GetCallerIdentityResponse: {
    GetCallerIdentityResult: {
      Account: '123456789012',
      Arn: 'arn:aws:sts::123456789012:assumed-role/payments-api/session',
      UserId: 'AROAQ3EGTESTEXAMPLE77:session',
    },
    ResponseMetadata: { RequestId: 'c025e1ba-c36b-4078-9407-fdd02eaee5aa' },
  },
}
export const GENUINE: StandInAnswer = { status: 200, body: IDENTITY }
export const REFUSED: StandInAnswer = { status: 403, body: { Error: { Code: 'SignatureDoesNotMatch' } } }
export const THROTTLED: StandInAnswer = { status: 400, body: { Error: { Code: 'Throttling' } } }

export interface StsBench {
  readonly clock: TestClock
  readonly ports: TestPorts
  readonly server: StandInServer
  /** What STS answers from now on; a promise keeps it waiting. */
  answer: (request: StandInRequest) => StandInAnswer | Promise<StandInAnswer>
  ask(request: SignedRequest, source?: string, signal?: AbortSignal): Promise<unknown>
  /** How often STS was asked so far. */
  asked(): number
}

const NEVER = new AbortController().signal

export async function openStsBench(): Promise<StsBench> {
  const clock = createTestClock()
  const server = await startStandInServer({ route: (request) => bench.answer(request) })
  onTestFinished(() => server.close())
  const ports = createTestPorts({ clock, insecureHosts: [server.host] })
  const settings = { partition: 'aws', trustedIssuer: 'aws', stsEndpoint: server.origin } as const
  const client = createStsClient({ ...settings, privateHosts: [], caFile: undefined }, ports)
  const bench: StsBench = {
    clock,
    ports,
    server,
    answer: () => GENUINE,
    ask: (request, source = '', signal = NEVER) => client.whoSigned(request, source, signal),
    asked: () => server.requests.length,
  }
  return bench
}

const GOOD = signedRequest()

/** Gives a request that differs from every other one in its signature. */
export function numberedRequest(number: number, changes: Partial<SignedRequest> = {}): SignedRequest {
  return { ...GOOD, signature: number.toString(16).padStart(64, '0'), ...changes }
}
