/** The same small service in every framework that there is middleware for, on a real socket. */

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import type { BearerOptions } from '../../src/verify/bearer.ts'
import { principalOf, requirePrincipal as requireInExpress } from '../../src/verify/express.ts'
import { principalOf as principalInFastify, requirePrincipal as requireInFastify } from '../../src/verify/fastify.ts'
import { requirePrincipal as requireInHono } from '../../src/verify/hono.ts'
import type { Verifier } from '../../src/verify/verifier.ts'

export interface Service {
  readonly origin: string
  /** How often a handler ran. */
  handled(): number
  close(): Promise<void>
}

/** Starts a service that tells on `/` who called, on `/write` too if they may write, and on `/open` whatever it knows. */
export type StartService = (verifier: Verifier, options?: BearerOptions) => Promise<Service>

const WRITE = { scope: 'entries:write' }

async function startHono(verifier: Verifier, options?: BearerOptions): Promise<Service> {
  const counter = createCounter()
  const app = new Hono()
    .get('/open', (c) => c.text('open'))
    .use(requireInHono(verifier, options))
    .get('/', (c) => counter.count(c.text(c.var.principal.identity)))
    .post('/', (c) => counter.count(c.text(c.var.principal.identity)))
    .get('/write', requireInHono(verifier, { ...options, ...WRITE }), (c) => c.text(c.var.principal.identity))
    .onError((_, c) => c.text('bug', 500))
  const answer = getRequestListener(app.fetch)
  return await listen(
    createServer((request, response) => void answer(request, response)),
    counter,
  )
}

async function startExpress(verifier: Verifier, options?: BearerOptions): Promise<Service> {
  const counter = createCounter()
  const app = express()
  app.get('/open', (request, response) => void response.send(principalOf(request).identity))
  app.use(requireInExpress(verifier, options))
  app.all('/', (request, response) => void response.send(counter.count(principalOf(request).identity)))
  app.get('/write', requireInExpress(verifier, { ...options, ...WRITE }), (request, response) => {
    response.send(principalOf(request).identity)
  })
  app.use((_error: unknown, _request: unknown, response: express.Response, _next: unknown) => {
    response.status(500).send('bug')
  })
  return await listen(createServer(app), counter)
}

async function startFastify(verifier: Verifier, options?: BearerOptions): Promise<Service> {
  const counter = createCounter()
  const app = fastify()
  app.setErrorHandler((_error, _request, reply) => reply.code(500).send('bug'))
  app.get('/open', async (request) => principalInFastify(request).identity)
  await app.register(async (guarded) => {
    guarded.addHook('onRequest', requireInFastify(verifier, options))
    guarded.get('/', async (request) => counter.count(principalInFastify(request).identity))
    guarded.post('/', async (request) => counter.count(principalInFastify(request).identity))
    const write = { onRequest: requireInFastify(verifier, { ...options, ...WRITE }) }
    guarded.get('/write', write, async (request) => principalInFastify(request).identity)
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  return { origin: `http://127.0.0.1:${port}`, handled: counter.counted, close: () => app.close() }
}

/** Every service, by its framework. */
export const SERVICES: readonly (readonly [string, StartService])[] = [
  ['hono', startHono],
  ['express', startExpress],
  ['fastify', startFastify],
]

interface Counter {
  count<Value>(value: Value): Value
  readonly counted: () => number
}

function createCounter(): Counter {
  let counted = 0
  return {
    count: (value) => {
      counted++
      return value
    },
    counted: () => counted,
  }
}

async function listen(server: Server, counter: Counter): Promise<Service> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    handled: counter.counted,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
