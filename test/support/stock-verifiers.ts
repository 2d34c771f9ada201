/** Libraries that know nothing of us, set up as src/verify/README.md says, and our own verifier beside them. */

import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Application } from 'express'
import { createVerifier } from '../../src/verify/verifier.ts'
import { createAwsVerifier } from '../snippets/verify/with-aws-jwt-verify.ts'
import { createApp } from '../snippets/verify/with-express-oauth2.ts'
import { createFastVerifier } from '../snippets/verify/with-fast-jwt.ts'
import { createJoseVerifier } from '../snippets/verify/with-jose.ts'
import { createJsonwebtokenVerifier } from '../snippets/verify/with-jsonwebtoken.ts'

/** Whom tokens are from, for, and of which type. */
export interface Expectation {
  readonly issuer: string
  readonly audience: string
  readonly typ: 'at+jwt' | 'JWT'
}

/** Gives whom a token is about, its `client_id`. Throws for a token that the library refuses. */
export type StockVerify = (token: string) => Promise<unknown>

export interface StockVerifier {
  readonly name: string
  /** Whether it heeds `typ` as it is set up. */
  readonly isTypeAware: boolean
  create(expectation: Expectation): Promise<StockVerify>
}

/** Every one, with the keys from the issuer's own address. */
export const STOCK_VERIFIERS: readonly StockVerifier[] = [
  {
    name: 'chancery/verify',
    isTypeAware: true,
    create: async ({ issuer, audience, typ }) => {
      const verifier = createVerifier({ issuer, audience, tokenType: typ })
      return async (token) => (await verifier.verify(token)).identity
    },
  },
  {
    name: 'jose',
    isTypeAware: true,
    create: async ({ issuer, audience, typ }) => {
      const verify = createJoseVerifier(issuer, audience, typ)
      return async (token) => (await verify(token)).client_id
    },
  },
  {
    name: 'aws-jwt-verify',
    isTypeAware: false,
    create: async ({ issuer, audience }) => {
      const verifier = createAwsVerifier(issuer, audience)
      // It fetches by https alone, and our test broker has none.
      const keys = await (await fetch(`${issuer}/.well-known/jwks.json`)).json()
      verifier.cacheJwks(keys as Parameters<typeof verifier.cacheJwks>[0])
      return async (token) => (await verifier.verify(token)).client_id
    },
  },
  {
    name: 'jsonwebtoken with jwks-rsa',
    isTypeAware: false,
    create: async ({ issuer, audience }) => {
      const verify = createJsonwebtokenVerifier(issuer, audience)
      return async (token) => (await verify(token)).client_id
    },
  },
  {
    name: 'fast-jwt',
    isTypeAware: true,
    create: async ({ issuer, audience, typ }) => {
      const verify = createFastVerifier(issuer, audience, typ)
      return async (token) => ((await verify(token)) as { client_id: unknown }).client_id
    },
  },
  {
    name: 'express-oauth2-jwt-bearer',
    isTypeAware: true,
    create: async ({ issuer, audience, typ }) => {
      const app = createApp(issuer, audience, typ === 'at+jwt')
      return (token) => askOnce(app, token)
    },
  },
]

async function askOnce(app: Application, token: string): Promise<unknown> {
  const server = await new Promise<Server>((resolve) => {
    const started = app.listen(0, '127.0.0.1', () => resolve(started))
  })
  try {
    const { port } = server.address() as AddressInfo
    const headers = { authorization: `Bearer ${token}` }
    const response = await fetch(`http://127.0.0.1:${port}/entries`, { headers })
    if (response.status !== 200) throw new Error(`${response.status} ${response.headers.get('www-authenticate')}`)
    return ((await response.json()) as { caller: unknown }).caller
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}
