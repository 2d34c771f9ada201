/** The verifier of AWS beside a stand-in, with trusted issuers as a test wants them and no broker around it. */

import { onTestFinished } from 'vitest'
import type { Session } from '../../providers/aws/stand-in/sessions.ts'
import { type AwsStandIn, type SigningWishNow, startAwsStandIn } from '../../providers/aws/stand-in/stand-in.ts'
import { awsVerifier } from '../../providers/aws/verifier.ts'
import type { UnverifiedProof, VerifiedProof } from '../../providers/contract/proof.ts'
import type { InspectedProof, ProofRequest, ProofVerifier } from '../../providers/contract/provider.ts'
import { createTestClock, type TestClock } from './clock.ts'
import { BROKER } from './document.ts'
import { createTestPorts, type TestPorts } from './provider-ports.ts'

export const ACCOUNT = '123456789012'
export const OTHER_ACCOUNT = '210987654321'
export const LONG_AUDIENCE = `${BROKER}/audiences/ledger`

/** A trusted issuer: its settings as a document has them, and its audiences. */
export interface Trust {
  readonly settings?: object
  readonly proofAudiences?: readonly string[]
}

export interface VerifierBench {
  readonly clock: TestClock
  readonly aws: AwsStandIn
  readonly ports: TestPorts
  readonly session: Session
  readonly verifier: ProofVerifier
  /** Another verifier, as after a reload of the document: of the same memory. */
  reload(trusts?: Readonly<Record<string, Trust>>): ProofVerifier
  sign(wish?: Partial<SigningWishNow>): string
  verify(proof: string, request?: ProofRequest): Promise<VerifiedProof>
  inspect(proof: string): InspectedProof
  asked(): number
}

const NEVER = new AbortController().signal

/** Opens a stand-in with {@link ACCOUNT} and {@link OTHER_ACCOUNT}, and a verifier for these trusted issuers. */
export async function openVerifierBench(
  trusts: Readonly<Record<string, Trust>> = { 'aws-prod': {} },
): Promise<VerifierBench> {
  const clock = createTestClock()
  const aws = await startAwsStandIn({ now: clock.now })
  onTestFinished(() => aws.close())
  for (const id of [ACCOUNT, OTHER_ACCOUNT]) aws.createAccount(id)
  const ports = createTestPorts({ clock, insecureHosts: [aws.host] })
  const session = aws.assumeRole(aws.createRole(ACCOUNT, 'api'), 'one')
  const reload = (wanted = trusts): ProofVerifier =>
    awsVerifier.createVerifier(
      Object.entries(wanted).map(([name, { settings = {}, proofAudiences = [BROKER] }]) => {
        const context = { insecureHosts: ports.egress.insecureHosts, proofAudiences }
        const whole = { accounts: { [ACCOUNT]: {} }, sts_endpoint: aws.origin, ...settings }
        return { name, proofAudiences, settings: awsVerifier.parseSettings(whole, context) }
      }),
      ports,
    )
  const verifier = reload()
  return {
    clock,
    aws,
    ports,
    session,
    verifier,
    reload,
    sign: (wish = {}) =>
      aws.signGetCallerIdentity(session, { audience: wish.shape === 'google' ? LONG_AUDIENCE : BROKER, ...wish }),
    verify: (proof, request = {}) => verifier.verify(proof as UnverifiedProof, request, NEVER),
    inspect: (proof) => verifier.inspect(proof as UnverifiedProof),
    asked: () => aws.requests.length,
  }
}
