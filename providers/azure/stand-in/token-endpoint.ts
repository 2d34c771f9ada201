/** Entra's token endpoint, as far as workloads use it: a cluster's token, or a secret, for an access token. */

import { randomUUID } from 'node:crypto'
import { createLocalJWKSet, decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose'
import type { StandInAnswer, StandInRequest } from '../../kit/stand-in-server.ts'
import type { Client, Directory } from './directory.ts'
import type { IssuedToken } from './identity-endpoints.ts'
import type { JwkSet } from './signing-keys.ts'
import type { ClientAuthentication } from './tokens.ts'

/** A cluster whose tokens may stand for a client, once somebody said for which. */
export interface TrustedCluster {
  readonly issuer: string
  readonly jwks: JwkSet
}

/** What the endpoint draws on. */
export interface TokenEndpoint {
  readonly directory: Directory
  readonly clusters: readonly TrustedCluster[]
  readonly now: () => number
  readonly issue: (client: Client, resource: string, method: ClientAuthentication) => Promise<IssuedToken>
}

/** Whom a cluster's token must be for, to be taken by Entra. */
const EXCHANGE_AUDIENCE = 'api://AzureADTokenExchange'
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** Why Entra says no: its number and what goes with it. */
class EntraRefusal extends Error {
  readonly code: number
  readonly error: string
  readonly status: number

  constructor(code: number, message: string, error = 'invalid_client', status = 401) {
    super(`AADSTS${code}: ${message}`)
    this.code = code
    this.error = error
    this.status = status
  }
}

/** Answers a client-credentials request, or says why not in Entra's words and numbers. */
export async function answerTokenRequest(endpoint: TokenEndpoint, request: StandInRequest): Promise<StandInAnswer> {
  try {
    return await grant(endpoint, new URLSearchParams(request.body))
  } catch (error) {
    if (error instanceof EntraRefusal) return refuse(error, endpoint.now())
    throw error
  }
}

/** Gives what Entra answers where nobody has such a tenant. */
export function refuseTenant(tenant: string, now: number): StandInAnswer {
  return refuse(new EntraRefusal(90_002, `Tenant '${tenant}' not found.`, 'invalid_request', 400), now)
}

async function grant(endpoint: TokenEndpoint, form: URLSearchParams): Promise<StandInAnswer> {
  if (form.get('grant_type') !== 'client_credentials') {
    throw new EntraRefusal(70_003, 'The app requested an unsupported grant type.', 'unsupported_grant_type', 400)
  }
  const clientId = form.get('client_id') ?? ''
  const client = endpoint.directory.client(clientId)
  if (client === undefined) {
    const message = `Application with identifier '${clientId}' was not found in the directory.`
    throw new EntraRefusal(700_016, message, 'unauthorized_client', 400)
  }
  const resource = readResource(form.get('scope') ?? '', endpoint.directory)
  const method = await authenticate(endpoint, client, form)
  const { accessToken, expiresAt } = await endpoint.issue(client, resource, method)
  const expires_in = expiresAt - endpoint.now() - 1
  return {
    status: 200,
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store, no-cache' },
    body: {
      token_type: 'Bearer',
      expires_in,
      ext_expires_in: expires_in,
      // Only long-lived tokens are to be renewed early.
      ...(expires_in > 7_200 ? { refresh_in: Math.floor(expires_in / 2) } : {}),
      access_token: accessToken,
    },
  }
}

function readResource(scope: string, directory: Directory): string {
  const resource = scope.endsWith('/.default') ? scope.slice(0, -'/.default'.length) : undefined
  if (resource === undefined) {
    throw new EntraRefusal(1_002_012, `The provided value for scope ${scope} is not valid.`, 'invalid_scope', 400)
  }
  if (directory.application(resource) === undefined) {
    const message = `The resource principal named ${resource} was not found in the tenant.`
    throw new EntraRefusal(500_011, message, 'invalid_resource', 400)
  }
  return resource
}

async function authenticate(
  endpoint: TokenEndpoint,
  client: Client,
  form: URLSearchParams,
): Promise<ClientAuthentication> {
  const assertion = form.get('client_assertion')
  const secret = form.get('client_secret')
  if (assertion !== null && form.get('client_assertion_type') === ASSERTION_TYPE) {
    await checkAssertion(endpoint, client, assertion)
    return '2'
  }
  if (secret === null) {
    throw new EntraRefusal(7_000_218, "The request body must contain 'client_assertion' or 'client_secret'.")
  }
  if (secret !== client.secret) throw new EntraRefusal(7_000_215, 'Invalid client secret provided.')
  return '1'
}

/** Compares issuer, subject and audience with what the client trusts, and then believes only the issuer's own signature. */
async function checkAssertion(endpoint: TokenEndpoint, client: Client, assertion: string): Promise<void> {
  const claims = readAssertion(assertion)
  const trusted = endpoint.directory.federatedCredentials(client.clientId)
  if (trusted.length === 0) {
    throw new EntraRefusal(70_025, 'The client has no configured federated identity credentials.')
  }
  const ofIssuer = trusted.filter(({ issuer }) => issuer === claims.iss)
  if (ofIssuer.length === 0) throw unmatched(700_211, 'issuer', claims.iss)
  if (!ofIssuer.some(({ subject }) => subject === claims.sub)) throw unmatched(700_213, 'subject', claims.sub)
  if (![claims.aud].flat().includes(EXCHANGE_AUDIENCE)) throw unmatched(700_212, 'audience', String(claims.aud))
  const cluster = endpoint.clusters.find(({ issuer }) => issuer === claims.iss)
  if (cluster === undefined) throw new EntraRefusal(50_166, 'Request to External OIDC endpoint failed.')
  try {
    await jwtVerify(assertion, createLocalJWKSet({ keys: [...cluster.jwks.keys] }), {
      currentDate: new Date(endpoint.now() * 1_000),
    })
  } catch (error) {
    throw error instanceof errors.JWTExpired || error instanceof errors.JWTClaimValidationFailed
      ? new EntraRefusal(700_024, 'Client assertion is not within its valid time range.')
      : new EntraRefusal(700_027, 'Client assertion failed signature validation.')
  }
}

function readAssertion(assertion: string): JWTPayload {
  try {
    return decodeJwt(assertion)
  } catch {
    throw new EntraRefusal(50_027, 'JWT token is invalid or malformed.', 'invalid_request', 400)
  }
}

function unmatched(code: number, what: string, value: string | undefined): EntraRefusal {
  return new EntraRefusal(
    code,
    `No matching federated identity record found for presented assertion ${what} '${value}'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion.`,
  )
}

function refuse({ code, error, status, message }: EntraRefusal, now: number): StandInAnswer {
  const timestamp = new Date(now * 1_000).toISOString().replace('T', ' ').replace('.000', '')
  const traceId = randomUUID()
  const correlationId = randomUUID()
  return {
    status,
    body: {
      error,
      error_description: `${message} Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`,
      error_codes: [code],
      timestamp,
      trace_id: traceId,
      correlation_id: correlationId,
      error_uri: `https://login.microsoftonline.com/error?code=${code}`,
    },
  }
}
