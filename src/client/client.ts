/** The workload's half of Chancery: `createTokenSource`. */

import type { NumericDate } from '../../providers/contract/proof.ts'
import type { IssuedTokenType } from '../oauth/vocabulary.ts'
import { fetchWithToken, type TokenSupply } from './authenticated-fetch.ts'
import { settingsFromEnvironment } from './environment.ts'
import { exchangeProof, type IssuedToken } from './exchange-proof.ts'
import type { ProofChoice } from './find-proof.ts'
import { withPatience } from './patience.ts'
import { readPorts } from './ports.ts'
import { createWorkloadProver } from './prove.ts'
import {
  type ClientPorts,
  type ProofSettings,
  readTarget,
  readTokenEndpoint,
  type TokenRequest,
  type TokenSourceSettings,
  type TokenTarget,
} from './settings.ts'
import { createTokenCache } from './token-cache.ts'
import { unlessAborted } from './unless-aborted.ts'

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

/** Where a workload's tokens come from. */
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

/**
 * Creates a source of tokens for this workload. Nothing is asked of anybody, and no SDK is loaded, before a token is.
 *
 * Throws {@link TokenSourceError} `settings_invalid` for settings that can never work.
 *
 * @example
 * const tokens = createTokenSource({ broker: 'https://broker.corp.example', audience: 'ledger' })
 * const response = await tokens.fetch('https://ledger.corp.example/entries')
 */
export function createTokenSource(settings: TokenSourceSettings): TokenSource {
  const ports = readPorts(settings)
  const endpoint = readTokenEndpoint(settings.broker)
  readTarget(settings, {})
  const proof = readProofSettings(settings, ports)
  const prover = createWorkloadProver(proof, proof.audience ?? settings.broker, ports)
  const cache = createTokenCache(
    (target, signal) =>
      withPatience(
        async () => await exchangeProof(endpoint, await prover.prove(signal), target, ports, signal),
        ports,
        signal,
      ),
    ports,
  )
  const token = async (request: TokenRequest = {}): Promise<ServiceToken> => {
    const target = readTarget(settings, request)
    request.signal?.throwIfAborted()
    return asServiceToken(await cache.at(target).get(request.fresh ?? false, request.signal), target)
  }
  const supply: TokenSupply = {
    get: async (request) => (await token(request)).accessToken,
    replace: async (request, refused) =>
      (await cache.at(readTarget(settings, request)).replace(refused, request.signal))?.accessToken,
  }
  return {
    token,
    fetch: (input, init, request = {}) => fetchWithToken(input, init, request, supply, ports),
    explain: (signal) => unlessAborted(prover.choose(signal ?? new AbortController().signal), signal),
    close: cache.close,
  }
}

/** What the environment says of the proof stands where the settings say nothing. A file that they name needs no platform. */
function readProofSettings({ proof = {} }: TokenSourceSettings, { environment }: ClientPorts): ProofSettings {
  const { provider, ...others } = settingsFromEnvironment(environment).proof ?? {}
  const isOpen = provider !== undefined && proof.file === undefined
  return { ...(isOpen ? { provider } : {}), ...others, ...proof }
}

function asServiceToken(issued: IssuedToken, { audience }: TokenTarget): ServiceToken {
  const { accessToken, issuedTokenType, expiresAt, scope } = issued
  const shown = {
    tokenType: 'Bearer' as const,
    issuedTokenType,
    expiresAt,
    ...(scope === undefined ? {} : { scope }),
    ...(audience === undefined ? {} : { audience }),
  }
  return Object.defineProperty({ accessToken: '', ...shown }, 'accessToken', { value: accessToken, enumerable: false })
}
