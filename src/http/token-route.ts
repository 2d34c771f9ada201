import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import type { Exchange } from '../exchange/exchange.ts'
import type { Call } from '../exchange/record.ts'
import { Refusal, toRefusal, toWireError } from '../exchange/refusal.ts'
import { OAuthError } from '../oauth/errors.ts'
import { parseTokenRequest, type TokenExchangeRequest } from '../oauth/token-request.ts'
import { type Answer, answerError, answerPrivately } from './answer.ts'
import { readForm } from './request-body.ts'

/** Exchanges under way at once; more are told to come again. Each holds at most a body, a proof and a token. */
export const MAX_IN_FLIGHT = 1_024

/** An `Authorization: Basic` that real clients send from their configuration; who they say they are changes nothing. */
const BASIC = /^Basic +((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/i

/** A request with the Node message behind it: its headers are parsed already, and reading them there spares a copy. */
type NodeContext = Context<{ Bindings: HttpBindings }>

/** Creates the handler of the token endpoint. Every answer of it has its audit record. */
export function createTokenRoute(exchange: Exchange): (context: NodeContext, call: Call) => Promise<Answer> {
  let inFlight = 0
  return async (context, call) => {
    let isCounted = false
    const read = async (): Promise<TokenExchangeRequest> => {
      const request = await readRequest(context)
      // Counted from here on, so that whoever sends a body slowly takes nobody's place.
      if (inFlight >= MAX_IN_FLIGHT) throw new Refusal('too_busy')
      inFlight++
      isCounted = true
      return request
    }
    try {
      return answerPrivately(200, await exchange(read, call), call.requestId)
    } catch (error) {
      return refusalAnswer(toRefusal(error), call.requestId)
    } finally {
      if (isCounted) inFlight--
    }
  }
}

async function readRequest(context: NodeContext): Promise<TokenExchangeRequest> {
  if (context.req.method !== 'POST') throw new OAuthError('method_not_allowed')
  const { headers } = context.env.incoming
  refuseAuthorization(headers.authorization)
  const query = new URLSearchParams(queryOf(context.req.url))
  const form = await readForm(context.req, headers)
  // The connection may have been refused while the last bytes came: then nobody is there to be given a token.
  if (context.env.incoming.socket.writableEnded) throw new OAuthError('body_unreadable')
  return parseTokenRequest(form, query)
}

function refuseAuthorization(authorization: string | undefined): void {
  if (authorization === undefined) return
  const credentials = Buffer.from(BASIC.exec(authorization)?.[1] ?? '', 'base64').toString()
  if (!credentials.includes(':')) throw new OAuthError('authorization_unsupported')
}

function queryOf(url: string): string {
  const start = url.indexOf('?')
  return start === -1 ? '' : url.slice(start)
}

/** A refused body may not have been read to its end; the connection cannot carry another request then. */
function refusalAnswer(refusal: Refusal, requestId: string): Answer {
  const wire = toWireError(refusal)
  if (wire.status === 405) return answerError(wire, requestId, { allow: 'POST' })
  const isUnread = wire.status === 413 || wire.status === 415
  return answerError(wire, requestId, isUnread ? { connection: 'close' } : {})
}
