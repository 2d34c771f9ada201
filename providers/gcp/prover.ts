/** The workload's half: an identity token that Google signs for this broker, fetched through Google's own library. */

import { z } from 'zod'
import { ProofError, SettingsError } from '../contract/errors.ts'
import type { Prover, ProverPorts, ProverProvider } from '../contract/provider.ts'
import { isJsonObject, memberOf } from '../contract/strict-json.ts'
import { readExpiry } from '../kit/compact-jws.ts'
import { parseShape } from '../kit/settings.ts'
import { untilAborted } from '../kit/until-aborted.ts'

/** The e-mail address of a service account. It becomes part of a path, so that nothing else has room in it. */
const SERVICE_ACCOUNT = /^[a-z0-9.-]+@[a-z0-9.-]+\.gserviceaccount\.com$/

const settingsSchema = z.strictObject({
  /** Whom to impersonate; the workload's own account needs the role Service Account OpenID Connect Identity Token Creator on it. */
  service_account: z
    .string()
    .max(254)
    .regex(SERVICE_ACCOUNT, 'name a service account by its e-mail address')
    .optional(),
  /** Where impersonation is asked for: another universe, a private endpoint, a stand-in. */
  iam_endpoint: z
    .string()
    .refine(isEndpoint, 'name an https origin without a path; plain http is for this machine alone')
    .default('https://iamcredentials.googleapis.com'),
})

type ProverSettings = z.output<typeof settingsSchema>

export const gcpProver: ProverProvider = { name: 'gcp', detect, createProver }

/**
 * Variables that say that Google runs this process, or where its metadata server is. Functions for Node set `K_SERVICE` too. A
 * virtual machine has none, and is known by its metadata address; `GOOGLE_APPLICATION_CREDENTIALS` is not among them because
 * workloads of every cloud use it.
 *
 * @see {@link https://cloud.google.com/run/docs/container-contract#env-vars Cloud Run: environment variables}
 * @see {@link https://cloud.google.com/appengine/docs/standard/nodejs/runtime App Engine: Node.js runtime}
 */
const PLATFORM_VARIABLES = ['CLOUD_RUN_JOB', 'CLOUD_RUN_WORKER_POOL', 'GAE_SERVICE', 'GCE_METADATA_HOST'] as const

function detect({ env }: ProverPorts): boolean {
  if (PLATFORM_VARIABLES.some((name) => env[name] !== undefined)) return true
  // Knative sets it in every cluster of whatever cloud; Cloud Run has no Kubernetes to be seen.
  return env.K_SERVICE !== undefined && env.KUBERNETES_SERVICE_HOST === undefined
}

/**
 * Creates a prover over Application Default Credentials: the metadata server of Compute Engine, Cloud Run, Functions, App Engine
 * and GKE, or a credentials file. With `service_account` it then asks for the token of that account.
 *
 * Nothing is kept between two proofs. The library's own client keeps an identity token until five minutes before its end by this
 * process's clock; it is passed over. The metadata server may still hand out one from its cache, so that `expiresAt` is what the
 * token says.
 *
 * Refuses an audience that would not arrive whole: the library writes it into a query as it is.
 */
function createProver(settings: unknown): Prover {
  const parsed = parseShape(settingsSchema, settings)
  return {
    subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt',
    async prove({ proofAudience }, signal) {
      refuseFragileAudience(proofAudience)
      const library = await import('google-auth-library')
      const subjectToken = await untilAborted(() => fetchToken(library, proofAudience, parsed, signal), signal)
      return { subjectToken, expiresAt: readExpiry(subjectToken) }
    },
  }
}

type Library = typeof import('google-auth-library')

const CLOUD_SCOPE = 'https://www.googleapis.com/auth/cloud-platform'

async function fetchToken(
  { GoogleAuth, gcpMetadata }: Library,
  audience: string,
  settings: ProverSettings,
  signal: AbortSignal,
): Promise<string> {
  // Else a process that was up before its metadata server would be told for ever that there is none.
  gcpMetadata.resetIsAvailableCache()
  const { service_account: account, iam_endpoint: endpoint } = settings
  // Without a project the library runs `gcloud` to learn one. A token has no use for it.
  const options = { projectId: 'unused' }
  try {
    if (account === undefined) {
      const { idTokenProvider } = await new GoogleAuth(options).getIdTokenClient(audience)
      return asToken(await idTokenProvider.fetchIdToken(audience))
    }
    const client = await new GoogleAuth({ ...options, scopes: CLOUD_SCOPE }).getClient()
    // Not the library's `Impersonated`: it warns on the console at each use, and writes the e-mail address into `azp`.
    const { data } = await client.request<unknown>({
      url: `${endpoint}/v1/projects/-/serviceAccounts/${account}:generateIdToken`,
      method: 'POST',
      data: { audience, includeEmail: true },
      signal,
    })
    return asToken(isJsonObject(data) ? memberOf(data, 'token') : undefined)
  } catch (error) {
    throw asProverError(error)
  }
}

function asToken(answer: unknown): string {
  if (typeof answer === 'string') return answer
  throw new ProofError('upstream_malformed', 'Google answered with something that is not an identity token')
}

function asProverError(error: unknown): ProofError {
  if (error instanceof ProofError) return error
  const status = error instanceof Error && 'status' in error ? Number(error.status) : Number.NaN
  if (Number.isInteger(status)) {
    return new ProofError('upstream_status', 'Google gives no identity token', { facts: { status }, cause: error })
  }
  return new ProofError('upstream_unreachable', 'no identity token of Google can be had here', { cause: error })
}

/** What arrives as it was sent in a query that nobody encodes. */
const STURDY_AUDIENCE = /^[A-Za-z0-9._~:/?@!$()*,=-]+$/

function refuseFragileAudience(audience: string): void {
  if (STURDY_AUDIENCE.test(audience)) return
  const message =
    'Google’s library does not encode an audience: only letters, digits and ._~:/?@!$()*,=- reach the metadata server as they are'
  throw new SettingsError([{ path: ['proof_audience'], code: 'audience_fragile', message }])
}

const LOOPBACK = ['127.0.0.1', '[::1]', 'localhost']

/** An access token of the workload is sent there. */
function isEndpoint(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { origin, protocol, hostname } = new URL(text)
  return origin === text && (protocol === 'https:' || (protocol === 'http:' && LOOPBACK.includes(hostname)))
}
