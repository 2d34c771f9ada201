/** The workload's half: a web-identity token where the account gives one, else a signed GetCallerIdentity request. */

import { z } from 'zod'
import { ProofError } from '../contract/errors.ts'
import type { NumericDate } from '../contract/proof.ts'
import type { Proven, Prover, ProverPorts, ProverProvider } from '../contract/provider.ts'
import { readExpiry } from '../kit/compact-jws.ts'
import { parseShape } from '../kit/settings.ts'
import { untilAborted } from '../kit/until-aborted.ts'
import { bareCause } from './bare-cause.ts'
import { signCallerIdentity } from './sign-request.ts'
import { AWS4_REQUEST_TYPE } from './signed-request.ts'

const settingsSchema = z.strictObject({
  /** Which of the two proofs; without it, the token where it can be had. */
  proof: z.enum(['web_identity', 'signed_request']).optional(),
  /** The region whose STS is asked or signed for; the SDK's own by default. */
  region: z.string().optional(),
})

type ProverSettings = z.output<typeof settingsSchema>

/** Life that is asked for a token, in seconds: it is used at once, and once. */
const TOKEN_LIFETIME_SECONDS = 300

/** How long it is remembered that an account gives no tokens, in seconds. */
const REFUSAL_REMEMBERED_SECONDS = 3_600

/**
 * Refusals that another attempt would not change: the account has the feature off, the role may not use it, or the partition does
 * not have it.
 */
const LASTING_REFUSALS: ReadonlySet<string> = new Set([
  'OutboundWebIdentityFederationDisabledException',
  'OutboundWebIdentityFederationDisabled',
  'AccessDenied',
  'AccessDeniedException',
  'InvalidAction',
])

/** The session ends sooner than the token would: this one time a request is signed. */
const SESSION_NEARLY_OVER = 'SessionDurationEscalationException'

export const awsProver: ProverProvider = { name: 'aws', detect, createProver }

/**
 * Variables that say where credentials of AWS come from: Lambda, ECS and EKS Pod Identity, IAM roles for service accounts, or
 * whoever started the process. An EC2 instance has none, and is known by its metadata address.
 */
const PLATFORM_VARIABLES = [
  'AWS_LAMBDA_FUNCTION_NAME',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_EXECUTION_ENV',
  'AWS_ACCESS_KEY_ID',
] as const

function detect({ env }: ProverPorts): boolean {
  return PLATFORM_VARIABLES.some((name) => env[name] !== undefined)
}

/**
 * Creates a prover over the AWS SDK's credential chain. Credentials are the SDK's to keep and to refresh; a proof is never kept,
 * as each is good for one exchange. The result says which kind it is.
 */
function createProver(settings: unknown, { now }: ProverPorts): Prover {
  const parsed = parseShape(settingsSchema, settings)
  let client: Promise<Client> | undefined
  let refusedUntil: NumericDate = 0

  return {
    subjectTokenType: parsed.proof === 'signed_request' ? AWS4_REQUEST_TYPE : JWT_TYPE,
    prove: ({ proofAudience }, signal) =>
      // The SDK takes no signal for where its credentials come from.
      untilAborted(async () => {
        client ??= createClient(parsed)
        const { sts, library } = await client
        const sign = () => signCallerIdentity({ sts, library, audience: proofAudience, signal })
        if (parsed.proof === 'signed_request' || (parsed.proof === undefined && now() < refusedUntil))
          return await sign()
        try {
          return await askForToken({ sts, library }, proofAudience, signal)
        } catch (error) {
          const code = codeOf(error)
          const isLasting = LASTING_REFUSALS.has(code)
          if (parsed.proof !== undefined || !(isLasting || code === SESSION_NEARLY_OVER)) throw asProverError(error)
          if (isLasting) refusedUntil = now() + REFUSAL_REMEMBERED_SECONDS
          return await sign()
        }
      }, signal),
  }
}

const JWT_TYPE = 'urn:ietf:params:oauth:token-type:jwt'

interface Client {
  readonly library: typeof import('@aws-sdk/client-sts')
  readonly sts: InstanceType<typeof import('@aws-sdk/client-sts').STSClient>
}

async function createClient({ region }: ProverSettings): Promise<Client> {
  const library = await import('@aws-sdk/client-sts')
  return { library, sts: new library.STSClient(region === undefined ? {} : { region }) }
}

/** @see {@link https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html AWS STS, GetWebIdentityToken} */
async function askForToken({ library, sts }: Client, audience: string, signal: AbortSignal): Promise<Proven> {
  const command = new library.GetWebIdentityTokenCommand({
    Audience: [audience],
    SigningAlgorithm: 'RS256',
    DurationSeconds: TOKEN_LIFETIME_SECONDS,
  })
  const { WebIdentityToken: subjectToken } = await sts.send(command, { abortSignal: signal })
  if (subjectToken === undefined) throw new ProofError('upstream_malformed', 'STS answered without a token')
  return { subjectToken, subjectTokenType: JWT_TYPE, expiresAt: readExpiry(subjectToken) }
}

function codeOf(error: unknown): string {
  return error instanceof Error && /^[A-Za-z]{1,80}$/.test(error.name) ? error.name : 'Error'
}

function asProverError(error: unknown): ProofError {
  if (error instanceof ProofError) return error
  const code = codeOf(error)
  const message = `AWS gives no web-identity token: ${code}`
  return new ProofError('upstream_unreachable', message, { facts: { sts: code }, cause: bareCause(error) })
}
