/** The workload's half: an access token that Entra made for this broker, fetched through Microsoft's own library. */

import type { ManagedIdentityCredential, WorkloadIdentityCredential } from '@azure/identity'
import { z } from 'zod'
import { ProofError, SettingsError } from '../contract/errors.ts'
import type { Prover, ProverPorts, ProverProvider } from '../contract/provider.ts'
import { readExpiry } from '../kit/compact-jws.ts'
import { parseShape } from '../kit/settings.ts'
import { untilAborted } from '../kit/until-aborted.ts'

const settingsSchema = z.strictObject({
  /** Which identity, where the host has several, or one that is not its own. `AZURE_CLIENT_ID` by default. */
  client_id: z.guid('name the identity by its client id').optional(),
  /** For AKS alone; `AZURE_TENANT_ID` by default. */
  tenant_id: z.guid('name the tenant by its id').optional(),
  /** The projected token that Entra takes, for AKS alone; `AZURE_FEDERATED_TOKEN_FILE` by default. */
  token_path: z.string().min(1).optional(),
  /** Where Entra is asked, for AKS alone; `AZURE_AUTHORITY_HOST` by default, and without it the public cloud. */
  authority_host: z.url({ protocol: /^https$/, error: 'name an https URL' }).optional(),
})

type ProverSettings = z.output<typeof settingsSchema>

/** Proves by a managed identity, or by the identity that a service account of AKS stands for. */
export const azureProver: ProverProvider = { name: 'azure', detect, createProver }

/**
 * Answers whether the environment says that Azure runs this process. A virtual machine has no such variable, and is
 * known by its metadata address.
 *
 * @see {@link https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference App Service: REST endpoint}
 * @see {@link https://azure.github.io/azure-workload-identity/docs/installation/mutating-admission-webhook.html AKS: what the webhook sets}
 */
function detect({ env }: ProverPorts): boolean {
  const isAppService = isSet(env.IDENTITY_ENDPOINT) && isSet(env.IDENTITY_HEADER)
  const isAks = isSet(env.AZURE_FEDERATED_TOKEN_FILE) && isSet(env.AZURE_CLIENT_ID) && isSet(env.AZURE_TENANT_ID)
  return isAppService || isAks || isSet(env.AZURE_POD_IDENTITY_AUTHORITY_HOST)
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== ''
}

/**
 * Creates a prover over the identity of this workload: on AKS the one that its service account stands for, elsewhere the managed
 * identity of its host, by the metadata service of virtual machines or the endpoint of App Service, Functions and Container Apps.
 *
 * The proof audience is the resource that the token is asked for. Where the resource's application accepts version 2, the token names
 * that application's client id instead. The platform and the library hand out the same token until it is near its end, so that
 * `expiresAt` is what the token says.
 *
 * Refuses a projected token without a client id and a tenant. The library reads the process's own environment besides `ports.env`.
 */
function createProver(settings: unknown, { env }: ProverPorts): Prover {
  const given = parseShape(settingsSchema, settings)
  const source = readSource(parseShape(settingsSchema, { ...settingsOf(env), ...given }))
  let credential: Promise<Credential> | undefined
  const getCredential = (): Promise<Credential> => {
    credential ??= createCredential(source)
    return credential
  }
  return {
    subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt',
    async prove({ proofAudience }, signal) {
      const subjectToken = await untilAborted(
        async () => fetchToken(await getCredential(), source, proofAudience, signal),
        signal,
      )
      return { subjectToken, expiresAt: readExpiry(subjectToken) }
    },
  }
}

/** What the platform put in the environment. A setting goes before it. */
function settingsOf(env: ProverPorts['env']): ProverSettings {
  const variables = {
    client_id: env.AZURE_CLIENT_ID,
    tenant_id: env.AZURE_TENANT_ID,
    token_path: env.AZURE_FEDERATED_TOKEN_FILE,
    authority_host: env.AZURE_AUTHORITY_HOST,
  }
  return Object.fromEntries(Object.entries(variables).filter(([, value]) => isSet(value)))
}

/** Where this workload's tokens come from. */
type Source =
  | { readonly kind: 'managed_identity'; readonly clientId: string | undefined }
  | {
      readonly kind: 'federated'
      readonly clientId: string
      readonly tenantId: string
      readonly tokenPath: string
      readonly authorityHost: string | undefined
    }

function readSource(settings: ProverSettings): Source {
  const { client_id: clientId, tenant_id: tenantId, token_path: tokenPath, authority_host: authorityHost } = settings
  if (tokenPath === undefined) return { kind: 'managed_identity', clientId }
  if (clientId === undefined) throw missing('client_id', 'AZURE_CLIENT_ID')
  if (tenantId === undefined) throw missing('tenant_id', 'AZURE_TENANT_ID')
  return { kind: 'federated', clientId, tenantId, tokenPath, authorityHost }
}

function missing(setting: string, variable: string): SettingsError {
  const message = `a projected token says nothing of the identity that it stands for: set ${setting} or ${variable}, which AKS sets for pods labelled azure.workload.identity/use`
  return new SettingsError([{ path: [setting], code: 'missing', message }])
}

type Credential = Pick<WorkloadIdentityCredential | ManagedIdentityCredential, 'getToken'>

/**
 * Never the library's default chain: it takes whatever comes first, a client's secret in the environment or a developer's login, and
 * then the proof would not be about this workload.
 */
async function createCredential(source: Source): Promise<Credential> {
  const library = await import('@azure/identity')
  if (source.kind === 'managed_identity') {
    const { clientId } = source
    return new library.ManagedIdentityCredential(clientId === undefined ? {} : { clientId })
  }
  const { clientId, tenantId, tokenPath, authorityHost } = source
  return new library.WorkloadIdentityCredential({
    clientId,
    tenantId,
    tokenFilePath: tokenPath,
    ...(authorityHost === undefined ? {} : { authorityHost }),
    // The platform or an operator names the authority. Else the library would ask the public cloud whether there is such a one.
    disableInstanceDiscovery: true,
  })
}

async function fetchToken(
  credential: Credential,
  source: Source,
  proofAudience: string,
  abortSignal: AbortSignal,
): Promise<string> {
  try {
    const { token } = await credential.getToken(`${proofAudience}/.default`, { abortSignal })
    return token
  } catch (error) {
    throw explain(error, source, proofAudience)
  }
}

const ADVICE = {
  managed_identity:
    'give this host the identity, name one of several with client_id, and see that the audience is an Application ID URI of the tenant',
  federated:
    'compare issuer, subject and audience of the federated credential with the projected token, and see that the audience is an Application ID URI of the tenant',
} as const

/** How the library says that it had no answer: of the host, or of Entra, whose metadata it reads first. */
const UNANSWERED = /\b(network_error|endpoints_resolution_error):/

/** Of Azure's own words nothing is told but Entra's number for what went wrong. */
function explain(cause: unknown, { kind }: Source, audience: string): ProofError {
  const text = cause instanceof Error ? cause.message : ''
  const [reason] = /AADSTS\d+/.exec(text) ?? []
  const options = { facts: { audience, ...(reason === undefined ? {} : { reason }) }, cause }
  if (/^E[A-Z]+: /.test(text)) {
    return new ProofError('file_unreadable', 'the projected token cannot be read: see token_path', options)
  }
  if (UNANSWERED.test(text)) {
    const where = kind === 'federated' ? 'Entra: see tenant_id, authority_host and the way out of here' : 'this host'
    return new ProofError('upstream_unreachable', `no tokens of Azure can be had from ${where}`, options)
  }
  return new ProofError('upstream_status', `Azure gives no token: ${ADVICE[kind]}`, options)
}
