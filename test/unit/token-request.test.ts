/** Reading a token exchange request: what real clients send is taken, everything else is refused for a reason of ours. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DESCRIPTIONS, OAuthError, REQUEST_FAULTS } from '../../src/oauth/errors.ts'
import { parseTokenRequest, type TokenExchangeRequest } from '../../src/oauth/token-request.ts'
import { ACCESS_TOKEN_TYPE, JWT_TYPE, TOKEN_EXCHANGE_GRANT } from '../../src/oauth/vocabulary.ts'

const GOOGLE = 'https://www.googleapis.com/auth/cloud-platform'
const USUAL: Readonly<Record<string, string>> = {
  grant_type: TOKEN_EXCHANGE_GRANT,
  subject_token: 'proof',
  subject_token_type: JWT_TYPE,
}

/** Parameters beside or in place of the usual ones, in this order; undefined leaves one out. */
type More = readonly (readonly [name: string, value: string | undefined])[]

function formOf(more: More): URLSearchParams {
  const form = new URLSearchParams(Object.entries(USUAL).filter(([name]) => !more.some(([other]) => other === name)))
  for (const [name, value] of more) if (value !== undefined) form.append(name, value)
  return form
}

function parse(more: More = [], query = ''): TokenExchangeRequest {
  return parseTokenRequest(formOf(more), new URLSearchParams(query))
}

function faultOf(more: More, query = ''): string {
  try {
    parse(more, query)
  } catch (error) {
    if (error instanceof OAuthError) return error.fault
    throw error
  }
  return 'none'
}

describe('a request', () => {
  test('of the three parameters that it must have names no target and no scope', () => {
    expect(parse()).toEqual({
      subjectToken: 'proof',
      subjectTokenType: JWT_TYPE,
      targets: [],
      scopes: undefined,
      requestedTokenType: undefined,
    })
  })

  test.each(['grant_type', 'subject_token', 'subject_token_type'])(
    'without %s, or with an empty one, is refused',
    (name) => {
      expect(faultOf([[name, undefined]])).toBe('parameter_missing')
      expect(faultOf([[name, '']])).toBe('parameter_missing')
    },
  )

  test.each([
    'client_credentials',
    'urn:ietf:params:oauth:grant-type:jwt-bearer',
    `${TOKEN_EXCHANGE_GRANT} `,
    'TOKEN-EXCHANGE',
  ])('for the grant %j is refused, before anything else is looked at', (grant) => {
    expect(
      faultOf([
        ['grant_type', grant],
        ['subject_token', undefined],
      ]),
    ).toBe('grant_type_unsupported')
  })

  test.each(['actor_token', 'actor_token_type'])('with %s is refused, as delegation is off', (name) => {
    expect(faultOf([[name, 'x']])).toBe('actor_unsupported')
    expect(faultOf([[name, '']])).toBe('none')
  })
})

describe('the subject token', () => {
  test.each(['proof\n', '\r\n\t proof', ' proof \r\n '])('is taken without the white space around it: %j', (text) => {
    expect(parse([['subject_token', text]]).subjectToken).toBe('proof')
  })

  test.each(['pro of', 'pro\nof', '\u00a0proof', '\u2028proof', '\u0000proof'])(
    'is otherwise taken as it is: %j',
    (text) => {
      expect(parse([['subject_token', text]]).subjectToken).toBe(text)
    },
  )

  test('of nothing but white space is missing', () => {
    expect(faultOf([['subject_token', ' \r\n\t']])).toBe('parameter_missing')
  })

  test('with a great deal of white space takes no great deal of time', () => {
    const text = `a${' '.repeat(30_000)}b${' '.repeat(30_000)}`
    const before = process.cpuUsage()

    expect(parse([['subject_token', text]]).subjectToken).toHaveLength(30_002)

    expect(process.cpuUsage(before).user / 1e3).toBeLessThan(500)
  })
})

describe('a repeated parameter', () => {
  test.each([...Object.keys(USUAL), 'scope', 'requested_token_type', 'client_id', 'anything'])(
    'is refused: %s, though both say the same, and though one is empty',
    (name) => {
      expect(
        faultOf([
          [name, USUAL[name] ?? 'x'],
          [name, USUAL[name] ?? 'x'],
        ]),
      ).toBe('parameter_repeated')
      expect(
        faultOf([
          [name, USUAL[name] ?? 'x'],
          [name, ''],
        ]),
      ).toBe('parameter_repeated')
    },
  )

  test('is taken where it names targets, each once and in its order', () => {
    const { targets } = parse([
      ['resource', 'b'],
      ['audience', 'a'],
      ['audience', ''],
      ['audience', 'c'],
      ['audience', 'a'],
    ])

    expect(targets).toEqual(['a', 'c', 'b'])
  })
})

test('more parameters than any client sends are refused', () => {
  const many = (count: number): More => Array.from({ length: count }, (_, number) => [`p${number}`, ''])
  const targets = (count: number): More => Array.from({ length: count }, () => ['audience', 'a'])

  expect(faultOf(many(61))).toBe('none')
  expect(faultOf(many(62))).toBe('body_unreadable')
  expect(faultOf(targets(62))).toBe('body_unreadable')
})

describe('the query', () => {
  test.each([
    ...['grant_type', 'subject_token', 'subject_token_type', 'actor_token', 'actor_token_type'],
    ...['requested_token_type', 'audience', 'resource', 'scope'],
    ...['client_id', 'client_secret', 'client_assertion', 'client_assertion_type'],
  ])('may not hold %s, not even an empty one', (name) => {
    expect(faultOf([], `${name}=x`)).toBe('parameter_in_query')
    expect(faultOf([], name)).toBe('parameter_in_query')
  })

  test('may hold what is no parameter of ours', () => {
    expect(faultOf([], 'api-version=2024&x=1&x=2')).toBe('none')
  })
})

describe('scopes', () => {
  const scopesOf = (scope: string) => parse([['scope', scope]]).scopes

  test('are a list, each once', () => {
    expect(scopesOf('entries:read')).toEqual(['entries:read'])
    expect(scopesOf('b a b')).toEqual(['b', 'a'])
  })

  test('of nothing, or of Google’s alone, are none', () => {
    expect(scopesOf('')).toBeUndefined()
    expect(scopesOf(GOOGLE)).toBeUndefined()
    expect(scopesOf(`${GOOGLE} https://www.googleapis.com/auth/iam`)).toBeUndefined()
  })

  test('of Google’s beside ours are ours', () => {
    expect(scopesOf(`${GOOGLE} entries:read`)).toEqual(['entries:read'])
    expect(scopesOf('https://www.googleapis.example/auth/x')).toEqual(['https://www.googleapis.example/auth/x'])
  })

  test.each([' ', 'a  b', ' a', 'a ', 'a\tb', 'a\nb', 'a"b', 'a\\b', 'é', 'a\u00a0b', 'a\u0000', `${GOOGLE}  a`])(
    'that are not separated by single spaces, or of other characters, are refused: %j',
    (scope) => {
      expect(faultOf([['scope', scope]])).toBe('scope_malformed')
    },
  )
})

describe('the requested token type', () => {
  test.each([ACCESS_TOKEN_TYPE, JWT_TYPE])('may be %s', (type) => {
    expect(parse([['requested_token_type', type]]).requestedTokenType).toBe(type)
  })

  test.each([
    'urn:ietf:params:oauth:token-type:id_token',
    'urn:ietf:params:oauth:token-type:refresh_token',
    'jwt',
    `${JWT_TYPE} `,
  ])('may not be %j', (type) => {
    expect(faultOf([['requested_token_type', type]])).toBe('requested_token_type_unsupported')
  })

  test('that is empty is none', () => {
    expect(parse([['requested_token_type', '']]).requestedTokenType).toBeUndefined()
  })
})

describe('any form', () => {
  const known = fc.constantFrom(
    ...Object.keys(USUAL),
    'audience',
    'resource',
    'scope',
    'requested_token_type',
    'actor_token',
  )
  const value = fc.oneof(
    fc.constantFrom(...Object.values(USUAL), ACCESS_TOKEN_TYPE, '', ' ', GOOGLE),
    fc.string({ unit: 'binary' }),
  )
  const pairs = fc.array(fc.tuple(fc.oneof(known, fc.string({ unit: 'binary' })), value), { maxLength: 12 })

  test('is a request or a fault of the closed list, and nothing else is thrown', () => {
    const property = fc.property(pairs, fc.string(), fc.boolean(), (more, query, isUsual) => {
      const form = isUsual ? formOf(more) : new URLSearchParams(more)
      try {
        const request = parseTokenRequest(form, new URLSearchParams(query))

        expect(form.get('grant_type')).toBe(TOKEN_EXCHANGE_GRANT)
        expect(request.subjectToken.trim()).not.toBe('')
        expect(new Set(request.targets).size).toBe(request.targets.length)
        expect(request.scopes).not.toEqual([])
      } catch (error) {
        if (!(error instanceof OAuthError)) throw error
        expect(REQUEST_FAULTS).toContain(error.fault)
        expect(error.message).toBe(DESCRIPTIONS[error.fault])
      }
    })

    fc.assert(property, { numRuns: 3_000 })
  })

  test('as bytes are parsed, too, without an accident', () => {
    const property = fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const text = `grant_type=${encodeURIComponent(TOKEN_EXCHANGE_GRANT)}&${Buffer.from(bytes).toString('latin1')}`
      try {
        parseTokenRequest(new URLSearchParams(text), new URLSearchParams())
      } catch (error) {
        if (!(error instanceof OAuthError)) throw error
      }
    })

    fc.assert(property, { numRuns: 1_000 })
  })
})
