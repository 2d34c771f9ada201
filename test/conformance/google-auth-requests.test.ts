/** What Google's auth libraries send, byte for byte, and that each gets its token. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { IdentityPoolClient } from 'google-auth-library'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { startStandInServer } from '../../providers/kit/stand-in-server.ts'
import { expectIssued } from '../support/answers.ts'
import { ACCESS_TOKEN_TYPE, JWT_TYPE } from '../support/broker.ts'
import { documentFor } from '../support/document.ts'
import { sendRaw } from '../support/raw-http.ts'
import { openScene, type Scene } from '../support/scene.ts'
import { makeScratch } from '../support/scratch.ts'

interface RecordedRequest {
  readonly name: string
  readonly why: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** What the token may do. */
  readonly scope: string
}

const file = new URL('../vectors/google-auth/requests.json', import.meta.url)
const { requests } = JSON.parse(readFileSync(file, 'utf8')) as { readonly requests: readonly RecordedRequest[] }

let scene: Scene
let proof: string
beforeAll(async () => {
  scene = await openScene({
    document: ({ issuer }) =>
      documentFor(issuer, {
        identities: { 'payments/api': { grants: { ledger: ['entries:read', 'entries:write'] } } },
      }),
  })
  proof = await scene.proof()
})
afterAll(() => scene.close())

describe('the broker answers', () => {
  test.each(requests)('$name: $why', async ({ headers, body, scope }) => {
    scene.broker.watch(proof)
    const bytes = body.replace('AUDIENCE', 'ledger').replace('PROOF', encodeURIComponent(proof))
    const fields = { host: 'broker.example', ...headers, 'content-length': String(bytes.length), connection: 'close' }
    const head = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)

    const [reply] = await sendRaw(scene.broker.origin, `POST /token HTTP/1.1\r\n${head.join('')}\r\n${bytes}`)

    if (reply === undefined) throw new Error('no answer came')
    const { token } = expectIssued(scene.broker, reply)
    expect(decodeJwt(token)).toMatchObject({ aud: 'ledger', scope })
    // Java’s library wants all four, and Go’s an expires_in above zero.
    expect(reply.json).toEqual({
      access_token: token,
      issued_token_type: ACCESS_TOKEN_TYPE,
      token_type: 'Bearer',
      expires_in: 900,
      scope,
    })
  })
})

describe('the library for Node sends', () => {
  const ways = {
    'Node 11.3.4, file source': {},
    'Node 11.3.4, file source, scope of ours': { scopes: ['entries:read'] },
    'Node 11.3.4, client credentials in the file': { client_id: 'client-id', client_secret: 'client-secret' },
  }

  test.each(Object.entries(ways))('%s: what is recorded of it', async (name, more) => {
    const recorded = requests.find((request) => request.name === name)
    const endpoint = await startStandInServer({
      route: () => ({ status: 200, body: { access_token: 'x', expires_in: 900 } }),
    })
    onTestFinished(() => endpoint.close())
    const token = join(makeScratch(), 'token')
    writeFileSync(token, 'K8S.PROJECTED.JWT\n')
    const client = new IdentityPoolClient({
      type: 'external_account',
      audience: 'ledger',
      subject_token_type: JWT_TYPE,
      token_url: `${endpoint.origin}/token`,
      credential_source: { file: token },
      ...more,
    })

    await client.getAccessToken()

    const [sent] = endpoint.requests
    expect(sent?.body).toBe(recorded?.body.replace('AUDIENCE', 'ledger').replace('PROOF', 'K8S.PROJECTED.JWT'))
    const expected = Object.entries(recorded?.headers ?? {}).map(([field, value]) => [
      field,
      value.replace('NODE', process.version.slice(1)),
    ])
    expect(sent?.headers).toMatchObject(Object.fromEntries(expected))
    expect(sent?.headers.authorization).toBe(recorded?.headers.authorization)
  })
})
