/** Where a workload gets its tokens: the instance metadata service of virtual machines, and the endpoint of App Service. */

import type { StandInAnswer, StandInRequest } from '../../kit/stand-in-server.ts'
import type { Client, Directory } from './directory.ts'

/** Where the two answer. */
export const IMDS_PATH = '/metadata/identity/oauth2/token'
export const APP_SERVICE_PATH = '/msi/token'

/** The platform gives the same token again until it has less than this left, in seconds. */
const NEAR_END_SECONDS = 600

/** A token and when it ends. */
export interface IssuedToken {
  readonly accessToken: string
  readonly expiresAt: number
}

/** What both draw on. */
export interface IdentityPlatform {
  readonly directory: Directory
  readonly now: () => number
  /** What App Service puts in the environment of its processes, and of no others. */
  readonly identityHeader: string
  readonly issue: (client: Client, resource: string) => Promise<IssuedToken>
}

/** The two, with one cache between them. */
export interface IdentityEndpoints {
  answerImds(request: StandInRequest): Promise<StandInAnswer>
  answerAppService(request: StandInRequest): Promise<StandInAnswer>
}

/** Answers as the platforms do, errors included. */
export function createIdentityEndpoints(platform: IdentityPlatform): IdentityEndpoints {
  const cache = new Map<string, IssuedToken>()
  const get = async (client: Client, resource: string): Promise<IssuedToken> => {
    const key = `${client.clientId} ${resource}`
    const cached = cache.get(key)
    if (cached !== undefined && cached.expiresAt - platform.now() > NEAR_END_SECONDS) return cached
    const issued = await platform.issue(client, resource)
    cache.set(key, issued)
    return issued
  }
  return {
    answerImds: async (request) => checkImds(request) ?? answer(request, platform, get, IMDS),
    answerAppService: async (request) =>
      checkAppService(request, platform) ?? answer(request, platform, get, APP_SERVICE),
  }
}

/** What differs between the two: how they name an identity's resource, complain, and say how long a token lasts. */
interface Dialect {
  readonly resourceIdParameter: string
  readonly notFound: string
  readonly refuse: (status: number, error: string, description: string) => StandInAnswer
  readonly isExpiresInSaid: boolean
}

const IMDS: Dialect = {
  resourceIdParameter: 'msi_res_id',
  notFound: 'Identity not found',
  refuse: (status, error, error_description) => ({ status, body: { error, error_description } }),
  isExpiresInSaid: true,
}

const APP_SERVICE: Dialect = {
  resourceIdParameter: 'mi_res_id',
  notFound: 'No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.',
  refuse: (statusCode, _, message) => ({ status: statusCode, body: { statusCode, message } }),
  isExpiresInSaid: false,
}

/** A request forged through a careless proxy has no such header, or one too many. */
function checkImds({ method, query, headers }: StandInRequest): StandInAnswer | undefined {
  if (method !== 'GET') return { status: 405 }
  if (headers.metadata !== 'true' || headers['x-forwarded-for'] !== undefined) {
    return IMDS.refuse(400, 'invalid_request', 'Required metadata header not specified')
  }
  return query.get('api-version') === '2018-02-01'
    ? undefined
    : { status: 400, body: { error: 'Bad request. api-version is invalid or was not specified in the request.' } }
}

function checkAppService({ query, headers }: StandInRequest, platform: IdentityPlatform): StandInAnswer | undefined {
  if (headers['x-identity-header'] !== platform.identityHeader) {
    return APP_SERVICE.refuse(
      401,
      'unauthorized',
      'The X-IDENTITY-HEADER is missing or is not the one of this process.',
    )
  }
  return query.get('api-version') === '2019-08-01'
    ? undefined
    : APP_SERVICE.refuse(400, 'invalid_request', 'The api-version is missing or is not supported.')
}

async function answer(
  { query }: StandInRequest,
  { directory, now }: IdentityPlatform,
  get: (client: Client, resource: string) => Promise<IssuedToken>,
  dialect: Dialect,
): Promise<StandInAnswer> {
  const resource = query.get('resource')
  const names = ['client_id', 'object_id', 'principal_id', dialect.resourceIdParameter]
  const name = names.map((parameter) => query.get(parameter)).find((value) => value !== null)
  const client = typeof name === 'string' ? directory.identity(name) : directory.systemIdentity
  if (resource === null) return dialect.refuse(400, 'invalid_request', "Required query variable 'resource' is missing")
  if (client === undefined) return dialect.refuse(400, 'invalid_request', dialect.notFound)
  if (directory.application(resource) === undefined) {
    const description = `AADSTS500011: The resource principal named ${resource} was not found in the tenant.`
    return dialect.refuse(400, 'invalid_resource', description)
  }
  const { accessToken, expiresAt } = await get(client, resource)
  return {
    status: 200,
    body: {
      access_token: accessToken,
      client_id: client.clientId,
      ...(dialect.isExpiresInSaid ? { expires_in: String(expiresAt - now()), not_before: String(now()) } : {}),
      expires_on: String(expiresAt),
      resource,
      token_type: 'Bearer',
    },
  }
}
