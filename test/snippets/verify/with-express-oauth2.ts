/** In src/verify/README.md. */

import express from 'express'
import { auth, requiredScopes } from 'express-oauth2-jwt-bearer'

export function createApp(issuer: string, audience: string, strict = true) {
  const app = express()
  app.use(auth({ issuer, audience, jwksUri: `${issuer}/.well-known/jwks.json`, strict }))
  app.get('/entries', requiredScopes('entries:read'), (request, response) => {
    response.json({ caller: request.auth?.payload.client_id })
  })
  return app
}
