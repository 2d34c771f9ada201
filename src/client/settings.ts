/** What a token source is told, and the world that it sees. */

import type { NumericDate, ProviderName } from '../../providers/contract/proof.ts'
import { isConfidential } from '../oauth/confidential-url.ts'
import { SCOPE_TOKEN } from '../oauth/vocabulary.ts'
import { TokenSourceError } from './token-source-error.ts'

/** How to prove who this workload is, where that is not to be found out. */
export interface ProofSettings {
  /** The platform to prove by. */
  readonly provider?: ProviderName
  /** A file with a proof in it, which something keeps fresh. It is read for every exchange. */
  readonly file?: string
  /** RFC 8693's name for what is in the file; by default it is seen from the content. */
  readonly subjectTokenType?: string
  /** Whom the proof is made for; by default the broker's URL. */
  readonly audience?: string
  /** The prover's own settings: `providers/<cloud>/README.md`. */
  readonly settings?: Readonly<Record<string, unknown>>
}

/** The request that a broker gets. */
export interface BrokerRequest {
  readonly headers: Readonly<Record<string, string>>
  readonly body: URLSearchParams
  readonly signal: AbortSignal
}

/** What is read of its answer. */
export interface BrokerAnswer {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  readonly body: AsyncIterable<Uint8Array> | null
}

/** The world as the client sees it. Each part has a real default; tests bring their own. */
export interface ClientPorts {
  readonly fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>
  /** Posts a form to the broker, and follows no redirect; unless told otherwise by `fetch`, and on this machine past a proxy. */
  readonly askBroker: (endpoint: string, request: BrokerRequest) => Promise<BrokerAnswer>
  readonly now: () => NumericDate
  /** Seconds of a clock that nobody can set. */
  readonly elapsed: () => number
  /** At least 0, less than 1. */
  readonly random: () => number
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly readFile: (path: string) => Promise<string>
  /** Waits for so many seconds, without keeping the process alive; rejects when aborted. */
  readonly wait: (seconds: number, signal: AbortSignal) => Promise<void>
  /** Gives a signal that aborts after so many seconds, without keeping the process alive. */
  readonly deadline: (seconds: number) => AbortSignal
  /** Where the metadata services of three clouds are looked for. */
  readonly metadataOrigin: string
}

/** What a token source is created with. */
export interface TokenSourceSettings extends Partial<ClientPorts> {
  /** The broker's issuer URL: https, or http on this machine, as the broker itself writes it. */
  readonly broker: string
  /** Whom tokens are for, unless a request says another; without one, the identity's only audience. */
  readonly audience?: string
  /** What tokens may do, as a list or separated by spaces; without it, all that the identity has there. */
  readonly scope?: string | readonly string[]
  readonly proof?: ProofSettings
}

/** Which token is wanted. Members that are left out are the token source's. */
export interface TokenRequest {
  readonly audience?: string
  readonly scope?: string | readonly string[]
  /** Whether to exchange in any case, whatever is kept. */
  readonly fresh?: boolean
  readonly signal?: AbortSignal
}

/** Whom a token is for and what it may do, spelled in the one way that the cache knows. */
export interface TokenTarget {
  readonly audience: string | undefined
  /** Sorted, each once, separated by spaces. */
  readonly scope: string | undefined
}

/** Gives the target of a request. An audience of the form `<broker>/audiences/NAME` is the audience `NAME`. */
export function readTarget(settings: TokenSourceSettings, request: TokenRequest): TokenTarget {
  const audience = request.audience ?? settings.audience
  return {
    audience: audience === undefined ? undefined : readAudience(audience, settings.broker),
    scope: readScope(request.scope ?? settings.scope),
  }
}

/** Longest audience that is asked for, in characters. */
const MAX_AUDIENCE_LENGTH = 2_048

function readAudience(audience: string, broker: string): string {
  if (typeof audience !== 'string') throw invalid('audience must be a text')
  const name = shortNameOf(audience, `${broker}/audiences/`)
  // An empty one would be for the identity's only audience, whatever was meant.
  if (name === '' || audience.length > MAX_AUDIENCE_LENGTH) {
    throw invalid('audience must have between 1 and 2,048 characters')
  }
  return name
}

function shortNameOf(audience: string, prefix: string): string {
  if (!audience.startsWith(prefix)) return audience
  try {
    return decodeURIComponent(audience.slice(prefix.length))
  } catch {
    throw invalid('audience has the broker’s long form, and is not percent-encoded as that must be')
  }
}

function readScope(scope: string | readonly string[] | undefined): string | undefined {
  if (scope === undefined) return undefined
  if (typeof scope !== 'string' && !Array.isArray(scope)) throw invalid('scope must be a text or a list')
  const names: readonly string[] = (typeof scope === 'string' ? scope.split(' ') : [...scope]).filter(
    (name) => name !== '',
  )
  if (!names.every((name) => typeof name === 'string' && SCOPE_TOKEN.test(name))) {
    throw invalid('a scope has a character that no scope can have')
  }
  return names.length === 0 ? undefined : [...new Set(names)].sort().join(' ')
}

/**
 * Gives the broker's token endpoint.
 *
 * Refuses a broker that is not https, unless it is on this machine: a proof that is sent in the clear is anybody's. Refuses a final
 * slash, a query, a fragment and every other spelling than the normal one, as the URL is also whom proofs are made for, and that is
 * compared to the byte.
 */
export function readTokenEndpoint(broker: string): string {
  const url = URL.canParse(broker) ? new URL(broker) : undefined
  if (url === undefined) throw invalid('broker is not a URL')
  if (!isConfidential(url)) throw invalid('broker must be an https URL; plain http is for this machine alone')
  if (/[?#@]|\/$/.test(broker)) {
    throw invalid('broker must be written as the broker’s --issuer is: no final slash, query, fragment or credentials')
  }
  if (url.href !== broker && url.href !== `${broker}/`) {
    throw invalid(`broker is not in its normal form: write ${url.href.replace(/\/$/, '')}`)
  }
  return `${broker}/token`
}

function invalid(what: string): TokenSourceError {
  return new TokenSourceError('settings_invalid', what)
}
