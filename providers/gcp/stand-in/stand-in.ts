/**
 * Google Cloud on a laptop, as far as its identity tokens go: metadata server, key sets and impersonation on one origin. The
 * official library takes it for the real one.
 */

import { randomBytes } from 'node:crypto'
import { exportSPKI, type JWK } from 'jose'
import type { NumericDate } from '../../contract/proof.ts'
import { type Claims, generateStandInKey, type StandInKey, signClaims } from '../../kit/stand-in-keys.ts'
import {
  type StandInAnswer,
  type StandInRequest,
  type StandInServer,
  startStandInServer,
} from '../../kit/stand-in-server.ts'
import { type CloudState, createCloudState } from './cloud-state.ts'
import { generateIdToken, type IamPorts, readTargetAccount } from './iam-credentials.ts'
import { answerMetadata, isMetadataPath, type MetadataPorts } from './metadata-server.ts'
import {
  claimsFor,
  claimsOfPerson,
  GOOGLE_ISSUER,
  IDENTITY_TOKEN_SECONDS,
  type Instance,
  type Person,
  type Place,
  type TokenWish,
  type Workload,
} from './tokens.ts'

export interface GoogleStandInOptions {
  /** Seconds; the system's clock by default. */
  readonly now?: () => NumericDate
  /** Where its workload runs; on a virtual machine by default. */
  readonly place?: Place
  /** Seconds that verifiers may keep the keys. */
  readonly maxAgeSeconds?: number
  /** A free one by default. */
  readonly port?: number
  /** The number of its first account, 21 digits; made up by default. */
  readonly uniqueId?: string
}

export interface GoogleStandIn
  extends Omit<StandInServer, 'close'>,
    Omit<CloudState, 'createAccessToken' | 'holderOf'> {
  /** Where its keys are published, as the federation document names them. */
  readonly keysUrl: string
  readonly key: StandInKey
  readonly jwks: { readonly keys: readonly JWK[] }
  /** Whom the metadata server speaks for. */
  readonly workload: Workload
  /** Lets the metadata server speak for somebody else from now on. */
  run(workload: Partial<Workload>): void
  /** What the workload gets from the metadata server. */
  requestToken(wish: TokenWish): Promise<string>
  /** The claims that such a token would have, to be bent by a test. */
  claimsFor(wish: TokenWish): Claims
  /** The claims of a person's token. */
  claimsOfPerson(person: Person): Claims
  /** Signs anything with Google's current key. */
  sign(claims: Claims, header?: Claims): Promise<string>
  /** Signs with an account's own key, published under the account's name alone: a self-signed token, no proof of anything. */
  signAsAccount(email: string, claims?: Claims, header?: Claims): Promise<string>
  /** Signs with a new key from now on; the old one stays published unless it is dropped. */
  rotateKeys(options?: { readonly dropOld?: boolean }): Promise<void>
  close(): Promise<void>
}

/** The account and the machine that a stand-in starts with. */
export const FIRST_ACCOUNT = 'payments@prod-123456.iam.gserviceaccount.com'
const FIRST_INSTANCE: Instance = {
  project_id: 'prod-123456',
  project_number: 716149158341,
  zone: 'us-central1-a',
  instance_id: '4340508760561261530',
  instance_name: 'vm-1',
  instance_creation_timestamp: 1_768_470_000,
  instance_confidentiality: 0,
}

/** Starts a cloud with one service account, attached to one workload. Two keys are published, of which one signs. */
export async function startGoogleStandIn(options: GoogleStandInOptions = {}): Promise<GoogleStandIn> {
  const { now = () => Math.floor(Date.now() / 1_000), place = 'vm', maxAgeSeconds = 19_000 } = options
  const state = createCloudState(now)
  state.createServiceAccount(FIRST_ACCOUNT, options.uniqueId)
  const running: { workload: Workload } = { workload: { place, account: FIRST_ACCOUNT, instance: FIRST_INSTANCE } }
  const keys = await createKeys()
  const google = {
    claimsFor: (wish: TokenWish) => claimsFor(wish, running.workload, state, now()),
    sign: (claims: Claims, header: Claims = {}) => signClaims(claims, keys.current(), { typ: 'JWT', ...header }),
  }
  const claimsOf = (account: string, wish: TokenWish): Claims =>
    google.claimsFor({ ...wish, workload: { ...running.workload, place: 'serverless', account } })
  const server = await startStandInServer({
    route: createRoute({ ...google, claimsOf, state, keys, workload: () => running.workload, maxAgeSeconds }),
    port: options.port ?? 0,
  })
  const { createServiceAccount, deleteServiceAccount, serviceAccount, allowImpersonation, mayImpersonate } = state
  return {
    ...server,
    ...google,
    ...{ createServiceAccount, deleteServiceAccount, serviceAccount, allowImpersonation, mayImpersonate },
    keysUrl: `${server.origin}/oauth2/v3/certs`,
    get key() {
      return keys.current()
    },
    get jwks() {
      return jwksOf(keys.published())
    },
    get workload() {
      return running.workload
    },
    run(workload) {
      running.workload = { ...running.workload, ...workload }
    },
    requestToken: (wish) => google.sign(google.claimsFor(wish)),
    claimsOfPerson: (person) => claimsOfPerson(person, now()),
    async signAsAccount(email, claims = {}, header = {}) {
      const times = { iat: now(), exp: now() + IDENTITY_TOKEN_SECONDS }
      const key = await keys.ofAccount(email)
      return await signClaims({ iss: email, sub: email, ...times, ...claims }, key, { typ: 'JWT', ...header })
    },
    rotateKeys: keys.rotate,
  }
}

interface Keys {
  current(): StandInKey
  published(): readonly StandInKey[]
  rotate(options?: { readonly dropOld?: boolean }): Promise<void>
  /** The key that an account signs with itself. */
  ofAccount(email: string): Promise<StandInKey>
}

/** Google names its keys by 40 hexadecimal digits. */
const generateKey = (): Promise<StandInKey> => generateStandInKey('RS256', randomBytes(20).toString('hex'))

async function createKeys(): Promise<Keys> {
  let current = await generateKey()
  let other: StandInKey | undefined = await generateKey()
  const ofAccounts = new Map<string, Promise<StandInKey>>()
  return {
    current: () => current,
    published: () => (other === undefined ? [current] : [current, other]),
    async rotate({ dropOld = false } = {}) {
      const fresh = await generateKey()
      other = dropOld ? undefined : current
      current = fresh
    },
    ofAccount(email) {
      const key = ofAccounts.get(email) ?? generateKey()
      ofAccounts.set(email, key)
      return key
    },
  }
}

function jwksOf(keys: readonly StandInKey[]): { readonly keys: readonly JWK[] } {
  return { keys: keys.map(({ jwk }) => jwk) }
}

interface RoutePorts extends MetadataPorts, IamPorts {
  readonly keys: Keys
  readonly maxAgeSeconds: number
}

const ACCOUNT_KEYS_PATH = /^\/service_accounts\/v1\/jwk\/([^/]+)$/

function createRoute(ports: RoutePorts): (request: StandInRequest) => Promise<StandInAnswer> {
  const { keys, maxAgeSeconds } = ports
  const publish = (body: object): StandInAnswer => ({
    status: 200,
    headers: {
      'content-type': 'application/json; charset=UTF-8',
      'cache-control': `public, max-age=${maxAgeSeconds}, must-revalidate, no-transform`,
    },
    body,
  })
  return async (request) => {
    if (isMetadataPath(request.path)) return await answerMetadata(request, ports)
    const target = readTargetAccount(request)
    if (target !== undefined) return await generateIdToken(target, request, ports)
    if (request.path === '/oauth2/v3/certs') return publish(jwksOf(keys.published()))
    if (request.path === '/oauth2/v1/certs') return publish(await pemsOf(keys.published()))
    if (request.path === '/.well-known/openid-configuration') {
      return publish(discovery(`http://${request.headers.host}`))
    }
    const account = decodeURIComponent(ACCOUNT_KEYS_PATH.exec(request.path)?.[1] ?? '')
    if (ports.state.serviceAccount(account) !== undefined) return publish(jwksOf([await keys.ofAccount(account)]))
    return { status: 404, body: { error: { code: 404, message: 'Not Found', status: 'NOT_FOUND' } } }
  }
}

/** The older form of the key set, by key id. Google wraps these keys in certificates; the official library takes either. */
async function pemsOf(keys: readonly StandInKey[]): Promise<Readonly<Record<string, string>>> {
  const pems = keys.map(async ({ keyId, publicKey }) => [keyId, await exportSPKI(publicKey)] as const)
  return Object.fromEntries(await Promise.all(pems))
}

function discovery(origin: string): object {
  return {
    issuer: GOOGLE_ISSUER,
    jwks_uri: `${origin}/oauth2/v3/certs`,
    response_types_supported: ['code', 'token', 'id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
  }
}
