/**
 * AWS on a laptop, as far as workload identity goes: an STS that recomputes every signature, each account's token issuer, and the
 * endpoints where EC2, ECS and EKS hand out credentials. The official SDK takes it for the real one.
 */

import type { Claims } from '../../kit/stand-in-keys.ts'
import {
  type StandInAnswer,
  type StandInRequest,
  type StandInServer,
  startStandInServer,
} from '../../kit/stand-in-server.ts'
import type { TokenAlgorithm } from './account-keys.ts'
import { type AwsState, createAwsState } from './aws-state.ts'
import { type CredentialEndpoints, createCredentialEndpoints } from './credential-endpoints.ts'
import { createSessions, type Session, type Sessions } from './sessions.ts'
import {
  createSignedRequest,
  encodeSignedRequest,
  type SignedRequest,
  type SigningCredentials,
  type SigningWish,
} from './signed-request.ts'
import { answerSts } from './sts.ts'
import { answerDiscovery, claimsFor, signAs, type WebIdentityWish } from './web-identity.ts'

export interface AwsStandInOptions {
  /** Seconds; the system's clock by default. */
  readonly now?: () => number
  /** The region that its own address stands for, and its instance is in. A `Host` that is a name of STS stands for its own. */
  readonly region?: string
  readonly tls?: { readonly cert: string; readonly key: string }
  readonly hostname?: string
  /** A free one by default. */
  readonly port?: number
}

/** A wish whose date is by default the stand-in's own. */
export type SigningWishNow = Omit<SigningWish, 'date'> & Partial<Pick<SigningWish, 'date'>>

export interface AwsStandIn
  extends StandInServer,
    AwsState,
    Omit<Sessions, 'session'>,
    Pick<CredentialEndpoints, 'attachToInstance' | 'attachToContainer'> {
  /** A request that the holder of these credentials signed for a broker, for a test to bend. */
  signedRequest(credentials: SigningCredentials, wish: SigningWishNow): SignedRequest
  /** The same as a subject token. */
  signGetCallerIdentity(credentials: SigningCredentials, wish: SigningWishNow): string
  /** What `GetWebIdentityToken` gives the session, whether or not its account has opted in. */
  webIdentityToken(session: Session, wish: WebIdentityWish): Promise<string>
  /** The claims that such a token would have, to be bent by a test. */
  claimsFor(session: Session, wish: WebIdentityWish): Claims
  /** Signs anything with the current key of an account. */
  sign(accountId: string, claims: Claims, algorithm?: TokenAlgorithm, header?: Claims): Promise<string>
}

/** Starts an AWS with no accounts. */
export async function startAwsStandIn(options: AwsStandInOptions = {}): Promise<AwsStandIn> {
  const { now = () => Math.floor(Date.now() / 1_000), region = 'us-east-1', tls, hostname } = options
  const api: { handle?: (request: StandInRequest) => Promise<StandInAnswer> } = {}
  const server = await startStandInServer({
    route: (request) => api.handle?.(request) ?? { status: 503 },
    ...(tls === undefined ? {} : { tls }),
    ...(hostname === undefined ? {} : { hostname }),
    port: options.port ?? 0,
  })
  const { origin } = server
  const state = createAwsState(origin)
  const { session, ...sessions } = createSessions(state, now)
  const endpoints = createCredentialEndpoints({ origin, region, now })
  api.handle = async (request) =>
    (await answerDiscovery(request, state.accounts(), origin)) ??
    endpoints.answer(request) ??
    (request.path === '/'
      ? await answerSts(request, { now, session, region, role: state.role, assumeRole: sessions.assumeRole })
      : { status: 404 })
  const signedRequest: AwsStandIn['signedRequest'] = (credentials, wish) =>
    createSignedRequest(credentials, { date: now(), ...wish })
  return {
    ...server,
    ...state,
    ...sessions,
    attachToInstance: endpoints.attachToInstance,
    attachToContainer: endpoints.attachToContainer,
    signedRequest,
    signGetCallerIdentity: (credentials, wish) => encodeSignedRequest(signedRequest(credentials, wish)),
    claimsFor: (holder, wish) => claimsFor(holder, { region, ...wish }, now()),
    webIdentityToken: (holder, wish) =>
      signAs(holder.account, claimsFor(holder, { region, ...wish }, now()), wish.algorithm),
    sign: (accountId, claims, algorithm, header) => signAs(state.account(accountId), claims, algorithm, header),
  }
}
