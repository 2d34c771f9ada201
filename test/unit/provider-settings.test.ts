/** The settings that several providers have, and how a wrong one is told. */

import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { SettingsError } from '../../providers/contract/errors.ts'
import { fileNameSchema, parseShape, privateHostsSchema, refuseProblems } from '../../providers/kit/settings.ts'
import { problemsOf } from '../support/rejection.ts'

describe('private hosts', () => {
  test.each([
    '10.0.0.1',
    '10.0.0.1:6443',
    'issuer.corp.internal',
    'a:1',
    'a',
    'a-b.c',
    '[fd00::1]',
    '[::1]:443',
    '[::ffff:102:304]',
  ])('%s is one', (host) => {
    expect(privateHostsSchema.parse([host])).toEqual([host])
  })

  test.each([
    '',
    ' ',
    '[::ffff:1.2.3.4]',
    '0.0.1',
    'A.example',
    'https://a',
    'a/b',
    'a:',
    'a:0',
    'a:080',
    'a:123456',
    'a:x',
    '*.corp',
    '*',
    'a b',
    'a\n',
    '-a',
    'a-',
    'a.',
    '.a',
    'fd00::1',
    'user@a',
    'é.example',
    'a'.repeat(254),
  ])('%j is none', (host) => {
    expect(privateHostsSchema.safeParse([host]).success).toBe(false)
  })

  test('are a list of one to sixteen', () => {
    const hosts = (count: number): string[] => Array.from({ length: count }, (_, at) => `a${at}`)

    expect([0, 1, 16, 17].map((count) => privateHostsSchema.safeParse(hosts(count)).success)).toEqual([
      false,
      true,
      true,
      false,
    ])
    expect(privateHostsSchema.safeParse('a').success).toBe(false)
  })
})

describe('a file name', () => {
  test.each(['ca.pem', 'edge/ca.pem', 'a/b/c', '.hidden', 'a..b', '...', 'a_b-c.D', '..data/ca.pem', 'x'.repeat(255)])(
    '%s is below the secrets directory',
    (name) => {
      expect(fileNameSchema.parse(name)).toBe(name)
    },
  )

  test.each([
    '',
    '.',
    '..',
    '/',
    '/etc/passwd',
    '../ca.pem',
    'a/../b',
    'a/..',
    './a',
    'a/.',
    'a//b',
    'a/',
    'a\\b',
    'C:\\a',
    'a b',
    'a\n',
    'a\n/../b',
    'a\u0000b',
    '%2e%2e/a',
    '~/a',
    'é',
    'x'.repeat(256),
  ])('%j is not', (name) => {
    expect(fileNameSchema.safeParse(name).success).toBe(false)
  })
})

describe('a shape', () => {
  const schema = z.strictObject({ list: z.array(z.strictObject({ name: z.string() })), more: z.number().default(7) })

  test('is given as it was parsed', () => {
    expect(parseShape(schema, { list: [{ name: 'x' }] })).toEqual({ list: [{ name: 'x' }], more: 7 })
  })

  test('tells everything that is wrong with it, each with its path', () => {
    const problems = problemsOf(() => parseShape(schema, { list: [{ name: 'x' }, { name: 1 }], more: null, extra: 1 }))

    expect(problems.map(({ path, code }) => ({ path, code }))).toEqual([
      { path: ['list', 1, 'name'], code: 'shape' },
      { path: ['more'], code: 'shape' },
      { path: [], code: 'shape' },
    ])
    for (const { message } of problems) expect(message).not.toBe('')
  })
})

describe('problems', () => {
  const problem = { path: ['a'], code: 'x', message: 'one' }

  test('are refused together', () => {
    const error = () => refuseProblems([problem, { ...problem, message: 'two' }])

    expect(problemsOf(error)).toHaveLength(2)
    expect(problemsOf(() => refuseProblems([problem]))).toEqual([problem])
    expect(error).toThrow(SettingsError)
    expect(error).toThrow('one; two')
  })

  test('that are none are no trouble', () => {
    expect(() => refuseProblems([])).not.toThrow()
  })
})
