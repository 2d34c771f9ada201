/** The one way out: every request that a verifier makes goes through here, and nothing about it is the caller's choice but the URL. */

import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { ProofError, type ProofOutageCode } from '../contract/errors.ts'
import type { Egress, ProviderEvent } from '../contract/provider.ts'
import { isPublicAddress } from './addresses.ts'
import { findUrlProblem, isPrivateHost } from './upstream-url.ts'

/** Longest time that one upstream request may take, from connecting to the last byte, in milliseconds. */
export const UPSTREAM_TIMEOUT_MS = 5_000

/** Connections that one trusted issuer's client keeps at most, unless it is made for more. */
const MAX_CONNECTIONS = 16

/** Whose requests a client makes, and which hosts that one may reach although they are private. */
export interface HttpClientSettings {
  readonly trustedIssuer: string
  readonly privateHosts: readonly string[]
  /** PEM of the only authorities to trust for these hosts; the system's where it is undefined. */
  readonly authorities: string | undefined
  readonly maxConnections?: number
}

export interface UpstreamRequest {
  /** What it is for, in a metric's label. */
  readonly purpose: string
  readonly url: string
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly maxBytes: number
}

export interface UpstreamResponse {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

export interface HttpClient {
  /**
   * Sends one request and gives the whole answer, whatever its status but a redirect.
   *
   * Throws a {@link ProofError} with an outage code when the host's address is private and unexpected, TLS fails, five seconds
   * pass, the answer is a redirect, is encoded, or is larger than `maxBytes`. Never retries, never follows.
   */
  send(request: UpstreamRequest, signal?: AbortSignal): Promise<UpstreamResponse>
}

/** Creates the client of one trusted issuer. Its connections are its own: none is shared with another issuer. */
export function createHttpClient(
  settings: HttpClientSettings,
  ports: { readonly egress: Egress; readonly now: () => number; readonly observe: (event: ProviderEvent) => void },
): HttpClient {
  const allowance = { privateHosts: settings.privateHosts, insecureHosts: ports.egress.insecureHosts }
  const agents = createAgents(settings, ports.egress)

  return {
    async send(request, signal) {
      const started = performance.now()
      const bounded = withTimeout(signal)
      let outcome = 'bug'
      let clockOffsetSeconds: number | undefined
      try {
        const problem = findUrlProblem(request.url, allowance)
        if (problem !== undefined) throw outage('upstream_address_refused', `the URL ${problem}`)
        const url = new URL(request.url)
        const lookup = isPrivateHost(url, allowance) ? lookupAny(ports.egress) : lookupPublic(ports.egress)
        const response = await exchange(url, request, { agents, lookup, signal: bounded })
        clockOffsetSeconds = offsetOf(response.headers.date, ports.now())
        outcome = `${Math.floor(response.status / 100)}xx`
        return response
      } catch (error) {
        const known = asOutage(error, bounded)
        outcome = known.code
        throw known
      } finally {
        const seconds = (performance.now() - started) / 1_000
        const { trustedIssuer } = settings
        ports.observe({
          kind: 'upstream',
          trustedIssuer,
          purpose: request.purpose,
          outcome,
          seconds,
          clockOffsetSeconds,
        })
      }
    },
  }
}

interface Agents {
  readonly http: HttpAgent
  readonly https: HttpsAgent
}

interface Wire {
  readonly agents: Agents
  readonly lookup: LookupFunction
  readonly signal: AbortSignal
}

/** The environment's proxies are never read: an agent gets the operator's own, or none. */
function createAgents(settings: HttpClientSettings, egress: Egress): Agents {
  const proxy = egress.proxy?.href.replace(/\/$/, '')
  const { maxConnections = MAX_CONNECTIONS } = settings
  const options = {
    keepAlive: true,
    maxSockets: maxConnections,
    maxTotalSockets: maxConnections,
    maxFreeSockets: 2,
    timeout: 30_000,
  }
  const proxyEnv = proxy === undefined ? {} : { HTTP_PROXY: proxy, HTTPS_PROXY: proxy }
  const ca = settings.authorities === undefined ? {} : { ca: settings.authorities }
  return {
    http: new HttpAgent({ ...options, proxyEnv }),
    https: new HttpsAgent({ ...options, proxyEnv, ...ca, rejectUnauthorized: true, minVersion: 'TLSv1.2' }),
  }
}

function withTimeout(signal: AbortSignal | undefined): AbortSignal {
  const timeout = AbortSignal.timeout(UPSTREAM_TIMEOUT_MS)
  return signal === undefined ? timeout : AbortSignal.any([signal, timeout])
}

function exchange(url: URL, request: UpstreamRequest, wire: Wire): Promise<UpstreamResponse> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? requestHttps : requestHttp
    const sent = send(url, {
      agent: url.protocol === 'https:' ? wire.agents.https : wire.agents.http,
      method: request.method ?? 'GET',
      headers: {
        accept: 'application/json',
        'accept-encoding': 'identity',
        'user-agent': 'chancery',
        ...request.headers,
        ...(request.body === undefined ? {} : { 'content-length': String(Buffer.byteLength(request.body)) }),
      },
      lookup: wire.lookup,
      signal: wire.signal,
    })
    sent.on('error', reject)
    // Without these two, an answer that changes the protocol would leave us waiting for ever: Node drops the connection and tells
    // nobody, not even through the signal.
    sent.on('upgrade', (_response, socket) => {
      socket.destroy()
      reject(outage('upstream_malformed', 'the answer changes the protocol'))
    })
    const giveUp = (): void => reject(new Error('aborted'))
    wire.signal.addEventListener('abort', giveUp)
    sent.on('close', () => wire.signal.removeEventListener('abort', giveUp))
    sent.on('response', (response) => {
      readBounded(response, request.maxBytes).then(resolve, (error: unknown) => {
        sent.destroy()
        reject(error)
      })
    })
    sent.end(request.body)
  })
}

/** Reads an answer to its end, or throws before the first byte too many. The caller drops the connection when it throws. */
async function readBounded(response: IncomingMessage, maxBytes: number): Promise<UpstreamResponse> {
  const { statusCode: status = 0, headers } = response
  if (status >= 300 && status < 400) throw outage('upstream_redirected', 'the answer is a redirect')
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') {
    throw outage('upstream_encoded', 'the answer is encoded although we asked for none')
  }
  const tooLarge = () => outage('upstream_too_large', `the answer is larger than ${maxBytes} bytes`)
  if (Number(headers['content-length'] ?? 0) > maxBytes) throw tooLarge()
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > maxBytes) throw tooLarge()
    chunks.push(chunk)
  }
  return { status, headers, body: Buffer.concat(chunks) }
}

function lookupAny(egress: Egress): LookupFunction {
  return lookupWith(egress, () => true)
}

/**
 * A name is refused when any of its addresses is private: which one would be connected to is not ours to choose. Through a proxy
 * no name is looked up here, so that this is the proxy's to refuse.
 */
function lookupPublic(egress: Egress): LookupFunction {
  return lookupWith(egress, isPublicAddress)
}

function lookupWith(egress: Egress, isAllowed: (address: string) => boolean): LookupFunction {
  return (hostname, options, callback) => {
    egress.resolve(hostname).then(
      (addresses) => {
        const [first] = addresses
        if (first === undefined) return callback(outage('upstream_unreachable', 'the name has no address'), '', 4)
        if (!addresses.every(({ address }) => isIP(address) !== 0 && isAllowed(address))) {
          return callback(outage('upstream_address_refused', 'the name resolves to a private address'), '', 4)
        }
        if (options.all === true) return callback(null, [...addresses])
        return callback(null, first.address, first.family)
      },
      (cause: unknown) => callback(outage('upstream_unreachable', 'the name does not resolve', cause), '', 4),
    )
  }
}

function offsetOf(date: string | undefined, now: number): number | undefined {
  const upstream = date === undefined ? Number.NaN : Date.parse(date)
  return Number.isNaN(upstream) ? undefined : upstream / 1_000 - now
}

function outage(code: ProofOutageCode, message: string, cause?: unknown): ProofError {
  return new ProofError(code, message, cause === undefined ? {} : { cause })
}

function asOutage(error: unknown, signal: AbortSignal): ProofError {
  if (error instanceof ProofError) return error
  if (signal.aborted) return outage('upstream_timeout', 'no answer in time', error)
  return outage('upstream_unreachable', 'the host cannot be reached, or its certificate is not right', error)
}
