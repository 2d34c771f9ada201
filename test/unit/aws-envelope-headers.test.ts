/** The header list of an envelope: each name once, in a spelling that all readers read alike. */

import { describe, expect, test } from 'vitest'
import { readHeaders } from '../../providers/aws/envelope-headers.ts'
import { refusalOf } from '../support/rejection.ts'

const GOOGLE = 'x-goog-cloud-target-resource'
const header = (key: unknown, value: unknown = 'x') => ({ key, value })
const codeOf = (list: unknown) => refusalOf(() => readHeaders(list)).code

describe('gives', () => {
  test('the value of a header, by its name in lower case', () => {
    const headers = readHeaders([header('Host', 'sts.amazonaws.com'), header('X-AMZ-Date', '20260115T120000Z')])

    expect(headers.get('host')).toBe('sts.amazonaws.com')
    expect(headers.get('x-amz-date')).toBe('20260115T120000Z')
    expect(headers.require('host')).toBe('sts.amazonaws.com')
  })

  test.each(['date', 'Host', '', '__proto__', 'constructor'])('nothing for %j, which is not there', (name) => {
    const headers = readHeaders([header('host')])

    expect(headers.get(name)).toBeUndefined()
    expect(refusalOf(() => headers.require(name))).toMatchObject({
      code: 'proof_malformed',
      message: `the header ${name} is missing`,
    })
  })

  test('a header of any name that is one, and drops none of those that it does not know', () => {
    const names = ['a', 'x'.repeat(64), "!#$%&'*+.^_`|~-09az"]

    expect(names.map((name) => readHeaders([header(name, 'v')]).get(name))).toEqual(['v', 'v', 'v'])
  })

  test.each(['x', '~', '!', 'a b', 'a  b', '"a"', 'x'.repeat(8_192)])('the value %j as it is', (value) => {
    expect(readHeaders([header('a', value)]).get('a')).toBe(value)
  })

  test('none of an empty list, and each of 32', () => {
    expect(readHeaders([]).get('host')).toBeUndefined()
    const many = Array.from({ length: 32 }, (_, index) => header(`x-${index}`, String(index)))

    expect(readHeaders(many).get('x-31')).toBe('31')
  })
})

describe('refuses', () => {
  test.each([
    ['nothing', undefined],
    ['null', null],
    ['an object, as Conjur takes', { host: 'a' }],
    ['a text', 'host: a'],
    ['33 headers', Array.from({ length: 33 }, (_, index) => header(`x-${index}`))],
    ['null in it', [null]],
    ['a list of pairs', [['host', 'a']]],
    ['a text in it', ['host: a']],
    ['a header with a third member', [{ key: 'host', value: 'a', more: 'b' }]],
    ['a header with no value', [{ key: 'host' }]],
    ['a header with no key', [{ value: 'host' }]],
    ['a header with another member than the key', [{ name: 'host', value: 'a' }]],
    ['a header with another member than the value', [{ key: 'host', values: 'a' }]],
    ['a key that is no text', [header(1)]],
    ['a value that is no text', [header('host', 1)]],
    ['a value that is a list, as Vault sends', [header('host', ['a'])]],
    ['a value that is null', [header('host', null)]],
  ])('as a list: %s', (_, list) => {
    expect(codeOf(list)).toBe('proof_malformed')
  })

  test.each([
    ...[
      '',
      ' ',
      'a b',
      'host ',
      ' host',
      'host:',
      ':authority',
      ':path',
      'ho\nst',
      'host\n',
      'höst',
      'host\u0000',
      'a(b',
      'a"b',
    ],
    ...['a,b', 'a/b', 'a;b', 'a=b', 'a@b', 'a{b', '\u212Aey', 'ſts', 'x'.repeat(65)],
  ])('the name %j', (name) => {
    expect(codeOf([header(name)])).toBe('proof_malformed')
  })

  test.each([
    ...[
      '',
      ' ',
      ' a',
      'a ',
      '\ta',
      'a\t',
      'a\tb',
      'a\nb',
      'a\r\nb',
      'a\r\n b',
      '\na',
      'a\n',
      'a\u0000',
      'a\u007f',
      'é',
      'a\u2028',
    ],
    ...['\ufeffa', 'a\u00a0', 'x'.repeat(8_193)],
  ])('the value %j', (value) => {
    expect(codeOf([header('a', value)])).toBe('proof_malformed')
  })

  test.each([
    ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'date'],
    ...['x-http-method', 'x-http-method-override', 'x-method-override', 'Connection', 'DATE', 'Transfer-Encoding'],
  ])('%s, which changes how a request is read', (name) => {
    expect(codeOf([header(name)])).toBe('proof_malformed')
  })

  test.each([
    ['host', 'host'],
    ['host', 'HOST'],
    ['Authorization', 'authorization'],
    ['x-chancery-audience', 'x-chancery-audience'],
    ['x-unknown', 'X-Unknown'],
  ])('a header that is there twice: %s and %s', (one, other) => {
    expect(codeOf([header(one), header(other)])).toBe('proof_malformed')
    expect(codeOf([header(one, 'x'), header(other, 'y')])).toBe('proof_malformed')
  })
})

describe('Google’s audience header', () => {
  test('may be there twice, if it says the same twice', () => {
    expect(readHeaders([header(GOOGLE), header('host'), header('X-Goog-Cloud-Target-Resource')]).get(GOOGLE)).toBe('x')
  })

  test('may not say two things', () => {
    expect(codeOf([header(GOOGLE, 'x'), header(GOOGLE, 'y')])).toBe('proof_malformed')
  })

  test('may not be there three times', () => {
    expect(codeOf([header(GOOGLE), header(GOOGLE), header(GOOGLE)])).toBe('proof_malformed')
  })
})
