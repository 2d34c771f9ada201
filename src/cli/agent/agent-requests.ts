/** What is asked of an agent over HTTP, and by whom it may be: programs of this machine, and no page of a browser. */

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { ServiceToken } from '../../client/client.ts'
import { TokenSourceError } from '../../client/token-source-error.ts'
import type { TokenWish } from '../delivery/keep-fresh.ts'
import { toAnswer } from '../delivery/token-format.ts'

/** The header without which no token is given: no page can add it to a request for another origin without being allowed to. */
const AGENT_HEADER = 'x-chancery-agent'

/** Names that this machine calls its agent by. Any other came out of DNS, where anybody can point a name of theirs at us. */
const OWN_NAMES: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]', 'agent'])

/** Headers of a request that a browser or a proxy has sent on for somebody else. */
const FOREIGN_HEADERS = ['origin', 'sec-fetch-site', 'forwarded', 'x-forwarded-for', 'via'] as const

/** Longest that a request waits for a token, in milliseconds. */
const TOKEN_MS = 30_000

export interface AgentService {
  /** Throws {@link TokenSourceError} for a wish that nobody could fulfil. */
  readonly check: (wish: Partial<TokenWish>) => void
  token(wish: Partial<TokenWish>, signal: AbortSignal): Promise<ServiceToken>
  readonly health: () => { readonly isWell: boolean; readonly body: object }
  /** Seconds since the epoch. */
  readonly now: () => number
}

interface Answer {
  readonly status: number
  readonly body: object
  readonly headers?: Readonly<Record<string, string>>
}

/** Answers `GET /token` and `GET /healthz`. */
export function createAgentListener(service: AgentService): RequestListener {
  return (request, response) => {
    void answerTo(request, response, service).then((answer) => send(response, answer))
  }
}

async function answerTo(request: IncomingMessage, response: ServerResponse, service: AgentService): Promise<Answer> {
  const stranger = findStranger(request)
  if (stranger !== undefined) return no(403, 'forbidden', stranger)
  const target = request.url ?? ''
  // A path and nothing else: what has an authority of its own, or is no URL at all, is nobody's request to an agent.
  const url = URL.parse(`http://agent${target}`)
  if (!target.startsWith('/') || url === null) return no(404, 'not_found', 'there are /token and /healthz')
  if (url.pathname !== '/token' && url.pathname !== '/healthz')
    return no(404, 'not_found', 'there are /token and /healthz')
  if (request.method !== 'GET') return { ...no(405, 'method_not_allowed', 'only GET is'), headers: { allow: 'GET' } }
  if (url.pathname === '/healthz') {
    const { isWell, body } = service.health()
    return { status: isWell ? 200 : 503, body }
  }
  if (request.headers[AGENT_HEADER] !== '1') {
    return no(403, 'forbidden', `a token is given only to a request with the header ${AGENT_HEADER}: 1`)
  }
  const wish = readWish(url.searchParams)
  if (wish === undefined) return no(400, 'invalid_request', 'there are audience and scope, each at most once')
  const fault = faultOf(wish, service)
  if (fault !== undefined) return no(400, 'invalid_request', fault)
  return await giveToken(wish, response, service)
}

/** The service's own settings were checked when it began: what cannot be used now is the wish. */
function faultOf(wish: Partial<TokenWish>, { check }: AgentService): string | undefined {
  try {
    check(wish)
    return undefined
  } catch (error) {
    if (error instanceof TokenSourceError) return error.message
    throw error
  }
}

async function giveToken(wish: Partial<TokenWish>, response: ServerResponse, service: AgentService): Promise<Answer> {
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  try {
    const token = await service.token(wish, AbortSignal.any([gone.signal, AbortSignal.timeout(TOKEN_MS)]))
    return { status: 200, body: toAnswer(token, service.now()) }
  } catch (error) {
    return answerOf(error)
  }
}

function answerOf(error: unknown): Answer {
  if (!(error instanceof TokenSourceError)) return no(503, 'temporarily_unavailable', 'there is no token yet')
  const { code, message, retryAfterSeconds } = error
  switch (error.kind) {
    case 'refused':
      return no(403, code, message)
    case 'setup':
      return no(500, code, message)
    case 'later':
      return { ...no(503, code, message), headers: { 'retry-after': String(retryAfterSeconds ?? 1) } }
  }
}

function findStranger({ headers, rawHeaders }: IncomingMessage): string | undefined {
  const hosts = rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === 'host')
  const name = /^(\[[^\]]*\]|[^:]*)(:\d{1,5})?$/.exec(headers.host ?? '')?.[1]?.toLowerCase()
  if (hosts.length !== 1 || name === undefined || !OWN_NAMES.has(name)) {
    return `call the agent by one of ${[...OWN_NAMES].join(', ')}`
  }
  return FOREIGN_HEADERS.some((header) => headers[header] !== undefined)
    ? 'this request was sent on for somebody else'
    : undefined
}

function readWish(parameters: URLSearchParams): Partial<TokenWish> | undefined {
  const names = [...parameters.keys()]
  if (names.some((name) => name !== 'audience' && name !== 'scope') || new Set(names).size !== names.length) {
    return undefined
  }
  return Object.fromEntries([...parameters].filter(([, value]) => value !== ''))
}

function no(status: number, error: string, description: string): Answer {
  return { status, body: { error, error_description: description } }
}

function send(response: ServerResponse, { status, body, headers }: Answer): void {
  response
    .writeHead(status, {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...headers,
    })
    .end(`${JSON.stringify(body)}\n`)
}
