/** The workload's half of Chancery: `createTokenSource`. */

import type { NumericDate } from '../../providers/contract/proof.ts'
import type { IssuedTokenType } from '../oauth/vocabulary.ts'
import { settingsFromEnvironment } from './environment.ts'
import { exchangeProof } from './exchange-proof.ts'
import type { ProofChoice } from './find-proof.ts'
import { readPorts } from './ports.ts'
import { createEvidencer } from './prove.ts'
import { readTarget, readTokenEndpoint, type TokenRequest, type TokenSourceSettings } from './settings.ts'

// biome-ignore lint/performance/noBarrelFile: a package's entry point says in one place what is public
export { settingsFromEnvironment } from './environment.ts'
export type { ProofAttempt, ProofChoice, ProofSource } from './find-proof.ts'
export type { ClientPorts, ProofSettings, TokenRequest, TokenSourceSettings } from './settings.ts'
export {
  TOKEN_SOURCE_ERRORS,
  TokenSourceError,
  type TokenSourceErrorCode,
  type TokenSourceErrorKind,
} from './token-source-error.ts'

/** A token for one service. */
export interface ServiceToken {
  /** Not enumerable, so that a token that is logged, inspected, spread or written as JSON leaves it out. */
  readonly accessToken: string
  readonly tokenType: 'Bearer'
  readonly issuedTokenType: IssuedTokenType
  readonly expiresAt: NumericDate
  readonly scope?: string
  readonly audience?: string
}

export interface TokenSource {
  /** Gives a token that is good for now. Rejects with a {@link TokenSourceError}, or with the reason of a signal that was aborted. */
  token(request?: TokenRequest): Promise<ServiceToken>
  /** Fetches with a token, and once more with a new one where the service refuses the first. */
  fetch(input: string | URL | Request, init?: RequestInit, request?: TokenRequest): Promise<Response>
  /** Tells how this workload proves who it is, and why so. */
  explain(signal?: AbortSignal): Promise<ProofChoice>
  /** Forgets every token and stops what is under way. */
  close(): void
}

/** Creates a source of tokens for this workload. Nothing is asked of anybody before a token is. */
export function createTokenSource(settings: TokenSourceSettings): TokenSource {
  const ports = readPorts(settings)
  const endpoint = readTokenEndpoint(settings.broker)
  const proof = { ...settingsFromEnvironment(ports.environment).proof, ...settings.proof }
  const evidencer = createEvidencer(proof, proof.audience ?? settings.broker, ports)
  const closing = new AbortController()
  const token = async (request: TokenRequest = {}): Promise<ServiceToken> => {
    const target = readTarget(settings, request)
    const signal = AbortSignal.any([closing.signal, ...(request.signal === undefined ? [] : [request.signal])])
    const evidence = await evidencer.prove(signal)
    const issued = await exchangeProof(endpoint, evidence, target, ports, signal)
    const { issuedTokenType, expiresAt, scope } = issued
    const made = {
      tokenType: 'Bearer' as const,
      issuedTokenType,
      expiresAt,
      ...(scope === undefined ? {} : { scope }),
      ...(target.audience === undefined ? {} : { audience: target.audience }),
    }
    return Object.defineProperty(made, 'accessToken', { value: issued.accessToken }) as ServiceToken
  }
  return {
    token,
    async fetch(input, init, request) {
      const made = new Request(input, init)
      made.headers.set('authorization', `Bearer ${(await token(request)).accessToken}`)
      return await ports.fetch(made)
    },
    explain: (signal = closing.signal) => evidencer.choose(signal),
    close: () => closing.abort(),
  }
}
