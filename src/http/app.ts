/** The broker's HTTP face: which path is answered by what. */

import { randomUUID } from 'node:crypto'
import type { HttpBindings } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import type { Exchange, TakeSnapshot } from '../exchange/exchange.ts'
import type { Call } from '../exchange/record.ts'
import type { WireError } from '../oauth/errors.ts'
import { type Answer, answerError, answerPrivately, answerPublicly } from './answer.ts'
import { clientAddressOf, type TrustedProxies } from './client-address.ts'
import { insertedMetadataPath, metadataOf } from './metadata-route.ts'
import { createTokenRoute } from './token-route.ts'

export interface AppPorts {
  readonly brokerIssuer: string
  readonly exchange: Exchange
  readonly snapshot: TakeSnapshot
  readonly subjectTokenTypes: readonly string[]
  readonly isTrustedProxy: TrustedProxies
  readonly onBug: (error: unknown, requestId: string) => void
}

type App = Hono<{ Bindings: HttpBindings }>
type AppContext = Context<{ Bindings: HttpBindings }>

const NOT_FOUND: WireError = { status: 404, error: 'invalid_request', description: 'path_unknown' }
const NOT_ALLOWED: WireError = { status: 405, error: 'invalid_request', description: 'method_not_allowed' }
const NOT_READY: WireError = {
  status: 503,
  error: 'temporarily_unavailable',
  description: 'broker_unavailable',
  retryAfterSeconds: 2,
}
const BUG: WireError = { status: 500, error: 'server_error', description: 'internal' }

/** Creates the application. An issuer with a path has everything under it; probes are answered at the root too. */
export function createApp(ports: AppPorts): App {
  const app: App = new Hono({ getPath: pathAsSent })
  const base = new URL(ports.brokerIssuer).pathname.replace(/\/$/, '')
  const token = createTokenRoute(ports.exchange)
  const metadata = metadataOf(ports.brokerIssuer, ports.subjectTokenTypes)

  app.all(`${base}/token`, async (context) => respond(await token(context, callOf(context, ports.isTrustedProxy))))
  serve(app, `${base}/.well-known/jwks.json`, async (requestId) => {
    const keys = (await ports.snapshot())?.keys
    return keys === undefined ? answerError(NOT_READY, requestId) : answerPublicly(keys.jwks, requestId)
  })
  const metadataPaths = [
    `${base}/.well-known/openid-configuration`,
    `${base}/.well-known/oauth-authorization-server`,
    insertedMetadataPath(base),
  ]
  for (const path of new Set(metadataPaths)) serve(app, path, (requestId) => answerPublicly(metadata, requestId))
  for (const prefix of new Set(['', base])) {
    serve(app, `${prefix}/healthz`, (requestId) => answerPrivately(200, { status: 'ok' }, requestId))
    serve(app, `${prefix}/readyz`, async (requestId) =>
      (await ports.snapshot()) === undefined
        ? answerError(NOT_READY, requestId)
        : answerPrivately(200, { status: 'ready' }, requestId),
    )
  }
  app.notFound(() => respond(answerError(NOT_FOUND, randomUUID())))
  app.onError((error) => {
    const requestId = randomUUID()
    ports.onBug(error, requestId)
    return respond(answerError(BUG, requestId))
  })
  return app
}

/** A path is served under its one spelling: what a proxy in front would take for another path is another path here too. */
function pathAsSent(request: Request, options?: { env?: HttpBindings }): string {
  return options?.env?.incoming.url?.split('?', 1)[0] ?? new URL(request.url).pathname
}

function serve(app: App, path: string, answer: (requestId: string) => Answer | Promise<Answer>): void {
  app.get(path, async () => respond(await answer(randomUUID())))
  app.all(path, () => respond(answerError(NOT_ALLOWED, randomUUID(), { allow: 'GET, HEAD' })))
}

function respond({ status, headers, body }: Answer): Response {
  return new Response(body, { status, headers })
}

function callOf(context: AppContext, isTrusted: TrustedProxies): Call {
  const { incoming, outgoing } = context.env
  const peer = incoming.socket.remoteAddress
  const forwarded = incoming.headers['x-forwarded-for']
  return {
    requestId: randomUUID(),
    clientAddress: peer === undefined ? undefined : clientAddressOf(peer, [forwarded].flat().join(','), isTrusted),
    get signal() {
      const controller = new AbortController()
      outgoing.once('close', () => {
        if (!outgoing.writableFinished) controller.abort()
      })
      return controller.signal
    },
  }
}
