/** The stand-in's reading of Signature Version 4, against vectors that AWS and others have computed. */

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  type CredentialScope,
  canonicalRequest,
  type RawRequest,
  signatureOf,
  stringToSign,
} from '../../providers/aws/stand-in/sigv4.ts'

interface VectorFile {
  readonly secretAccessKey: string
  readonly amzDate: string
  readonly scope: CredentialScope
  readonly vectors: readonly {
    readonly name: string
    readonly why: string
    readonly request: RawRequest
    readonly signedHeaders: string
    readonly canonicalRequest?: string
    readonly stringToSign?: string
    readonly signature: string
  }[]
}

describe.each(['published-suite', 'get-caller-identity'])('%s', (file) => {
  const text = readFileSync(new URL(`../vectors/aws-sigv4/${file}.json`, import.meta.url), 'utf8')
  const { secretAccessKey, amzDate, scope, vectors } = JSON.parse(text) as VectorFile

  test.each(vectors)('$name: $why', (vector) => {
    const signedHeaders = vector.signedHeaders.split(';')
    const canonical = canonicalRequest(vector.request, signedHeaders)

    expect(canonical).toBe(vector.canonicalRequest ?? canonical)
    expect(stringToSign(canonical, amzDate, scope)).toBe(vector.stringToSign ?? stringToSign(canonical, amzDate, scope))
    expect(signatureOf(vector.request, { secretAccessKey, scope, amzDate, signedHeaders })).toBe(vector.signature)
  })

  test('covers the secret, the date, the scope and every part of the request', () => {
    for (const { request, signedHeaders, signature } of vectors) {
      const signing = { secretAccessKey, scope, amzDate, signedHeaders: signedHeaders.split(';') }
      const others = [
        signatureOf({ ...request, method: 'PUT' }, signing),
        signatureOf({ ...request, target: `${request.target.split('?')[0]}other?a=b` }, signing),
        signatureOf({ ...request, body: `${request.body}.` }, signing),
        signatureOf({ ...request, headers: [] }, signing),
        signatureOf(request, { ...signing, secretAccessKey: 'another' }),
        signatureOf(request, { ...signing, amzDate: '20260115T120001Z' }),
        ...(['date', 'region', 'service'] as const).map((part) =>
          signatureOf(request, { ...signing, scope: { ...scope, [part]: 'another' } }),
        ),
      ]

      expect(others).not.toContain(signature)
      expect(new Set(others).size).toBe(others.length)
    }
  })
})
