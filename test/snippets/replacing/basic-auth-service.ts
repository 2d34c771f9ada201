/** In src/verify/replacing/basic-auth.md. */

import fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import { principalOf, requirePrincipal } from '../../../src/verify/fastify.ts'
import type { Verifier } from '../../../src/verify/verifier.ts'

export function createApp(
  verifier: Verifier,
  isPassword: (user: string, password: string) => Promise<boolean>,
  count: (user: string) => void,
) {
  const withToken = requirePrincipal(verifier)
  const users = new WeakMap<FastifyRequest, string>()
  const app = fastify()
  app.addHook('onRequest', async (request: FastifyRequest, reply: FastifyReply) => {
    const [, encoded] = /^basic +(\S+)$/i.exec(request.headers.authorization ?? '') ?? []
    if (encoded === undefined) return await withToken(request, reply)
    const [user = '', ...rest] = Buffer.from(encoded, 'base64').toString().split(':')
    if (!(await isPassword(user, rest.join(':')))) return reply.code(401).send()
    count(user)
    users.set(request, user)
    return undefined
  })
  app.get('/entries', async (request) => ({ caller: users.get(request) ?? principalOf(request).identity }))
  return app
}
