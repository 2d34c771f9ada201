/** JSON with one meaning: what the strict reader takes, what it refuses, and that it never takes more than the parser. */

import { inspect, isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isJsonObject, JsonError, memberOf, parseStrictJson } from '../../providers/contract/strict-json.ts'
import { jsonText, spellJson } from '../support/json-texts.ts'

const DEPTH = 16

function faultOf(text: string, maxDepth = DEPTH): JsonError {
  try {
    parseStrictJson(text, maxDepth)
  } catch (error) {
    if (error instanceof JsonError) return error
    throw error
  }
  throw new Error('not refused')
}

describe('against the parser', () => {
  test('reads every text with one meaning as the parser does, and refuses every other for what is wrong with it', () => {
    const property = fc.property(jsonText, fc.nat(6), ({ text, depth, hasTwins, hasPrototype }, maxDepth) => {
      const faults = [
        ...(depth > maxDepth ? ['too_deep'] : []),
        ...(hasTwins ? ['duplicate_member'] : []),
        ...(hasPrototype ? ['prototype_member'] : []),
      ]

      if (faults.length === 0) expect(isDeepStrictEqual(parseStrictJson(text, maxDepth), JSON.parse(text))).toBe(true)
      else expect(faults).toContain(faultOf(text, maxDepth).fault)
    })

    fc.assert(property, { numRuns: 2_000 })
  })

  test('agrees with the parser on every value that the platform itself writes', () => {
    const property = fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(undefined, 2, '\t'), (value, space) => {
      const text = JSON.stringify(value, undefined, space)
      fc.pre(!text.includes('"__proto__"'))

      expect(isDeepStrictEqual(parseStrictJson(text, DEPTH), JSON.parse(text))).toBe(true)
    })

    fc.assert(property, { numRuns: 500 })
  })

  test('refuses whatever the parser refuses, and throws nothing but its own error', () => {
    const pieces = fc.constantFrom(
      ...'{}[]:,"\\ \n'.split(''),
      '"a"',
      '"a":',
      '\\u0061',
      '\\u',
      '1',
      '-',
      'e',
      'true',
      '\ufeff',
      '//',
    )
    const soup = fc.oneof(
      fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join('')),
      fc.string(),
    )
    const property = fc.property(soup, (text) => {
      const parsed = attempt(() => JSON.parse(text) as unknown)
      const strict = attempt(() => parseStrictJson(text, DEPTH))

      if (strict.error === undefined) expect(isDeepStrictEqual(strict.value, parsed.value)).toBe(true)
      else expect(strict.error).toBeInstanceOf(JsonError)
      if (parsed.error !== undefined) expect(strict.error).toBeDefined()
    })

    fc.assert(property, { numRuns: 5_000 })
  })

  function attempt(act: () => unknown): { readonly value?: unknown; readonly error?: unknown } {
    try {
      return { value: act() }
    } catch (error) {
      return { error }
    }
  }
})

describe('members named twice', () => {
  test('refuses a member that is put in again, however it is escaped and wherever it stands', () => {
    const property = fc.property(
      fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }), { minKeys: 1 }),
      fc.nat(),
      fc.array(fc.nat(3), { minLength: 1 }),
      fc.constantFrom(
        (object: string) => object,
        (object: string) => `[0, ${object}]`,
        (object: string) => `{ "outer" : { "inner": ${object} } }`,
      ),
      (object, index, spelling, wrap) => {
        const names = Object.keys(object)
        fc.pre(!JSON.stringify(object).includes('"__proto__"'))
        const again = spellJson(names[index % names.length] ?? '', spelling)

        expect(faultOf(wrap(`${JSON.stringify(object).slice(0, -1)} ,\n ${again}\t: null}`)).fault).toBe(
          'duplicate_member',
        )
      },
    )

    fc.assert(property, { numRuns: 500 })
  })

  test.each([
    ['at the second of two', '{"aud":1,"aud":2}', 9],
    ['at one that is escaped', '{"aud":1,"\\u0061ud":2}', 9],
    ['at one that is the same value', '{"a":1,"a":1}', 7],
    ['behind a nested object', '{"a":{"a":1},"a":2}', 13],
    ['behind a list', '{"a":[{"a":1},{"a":1}],"a":2}', 23],
    ['in a list', '[{"a":1,"a":2}]', 8],
    ['behind a string that ends in a backslash', '{"a":"\\\\","a":2}', 10],
    ['behind a string with a quote in it', '{"a":"\\"}","a":2}', 11],
    ['before white space and a colon', '{"a":1,"a" \t\r\n:2}', 7],
    ['with an empty name', '{"":1,"":2}', 6],
  ])('says where: %s', (_, text, at) => {
    expect(faultOf(text)).toMatchObject({ name: 'JsonError', fault: 'duplicate_member', at })
  })

  test.each([
    '{"a":1,"A":2}',
    '{"a":{"a":{"a":1}}}',
    '[{"a":1},{"a":2}]',
    '{"a":"a","b":"a"}',
    '{"a":["a","a"]}',
    '{"a":"{\\"b\\":1,\\"b\\":2}"}',
    '{"é":1,"e\u0301":2}',
  ])('takes %s, which names none twice', (text) => {
    expect(parseStrictJson(text, DEPTH)).toEqual(JSON.parse(text))
  })
})

describe('members of the prototype', () => {
  test.each(['{"__proto__":{}}', '{"\\u005f_proto__":1}', '[{"a":{"__proto__":null}}]', '{"__proto_\\u005F" : 1}'])(
    'refuses %s',
    (text) => {
      expect(faultOf(text).fault).toBe('prototype_member')
    },
  )

  test('takes __proto__ as a value, and every other name of an object’s own members', () => {
    expect(parseStrictJson('["__proto__",{"a":"__proto__"}]', DEPTH)).toEqual(['__proto__', { a: '__proto__' }])
    const names = Object.getOwnPropertyNames(Object.prototype).filter((name) => name !== '__proto__')

    const value = parseStrictJson(`{${names.map((name) => `${JSON.stringify(name)}:1`).join()}}`, DEPTH)

    expect(Object.keys(value as object)).toEqual(names)
  })
})

describe('nesting', () => {
  test.each(['[', '{"a":'])('takes as many levels of %s as it is told, and not one more', (open) => {
    const nested = (levels: number): string => open.repeat(levels) + (open === '[' ? ']' : '}').repeat(levels)
    const filled = (levels: number): string => nested(levels).replace(':}', ':1}')

    expect(() => parseStrictJson(filled(DEPTH), DEPTH)).not.toThrow()
    expect(faultOf(filled(DEPTH + 1))).toMatchObject({ fault: 'too_deep', at: open.length * DEPTH })
  })

  test('counts levels that are open, not all that there are', () => {
    expect(parseStrictJson('[[],[],{},{}]', 2)).toEqual([[], [], {}, {}])
    expect(faultOf('{}', 0).fault).toBe('too_deep')
    expect(parseStrictJson('"[[["', 0)).toBe('[[[')
  })

  test('refuses a hundred thousand levels without running out of stack', () => {
    expect(faultOf('['.repeat(100_000)).fault).toBe('too_deep')
    expect(faultOf('{"a":'.repeat(100_000)).fault).toBe('too_deep')
  })
})

describe('text that is not JSON', () => {
  test.each([
    '',
    ' ',
    '\ufeff{}',
    '{',
    '}',
    '{"a":1}}',
    "{'a':1}",
    '{a:1}',
    '{"a":1}//',
    '01',
    'NaN',
    '"\n"',
    '"\\x"',
    '"',
    '"\\',
  ])('refuses %j', (text) => {
    expect(faultOf(text).fault).toBe('not_json')
  })

  test.each([
    ['a comma before the end of a list', '[1,]', 3],
    ['a comma before the end of an object', '{\n  "a": 1,\n}', 13],
    ['a value that is none', '{"a": x}', 6],
    ['a value that is none, and a name that speaks of a position', '{"position 99": x}', 16],
    ['a missing comma', '{"a":1 "b":2}', 7],
    ['text behind the end', '{"a":1}x', 7],
    ['a list that does not end', '[1,2', 4],
    ['a member without a value', '{"a":', 5],
    ['a name with an escape that is none', '{"a":1,"\\q":2}', 8],
  ])('says where: %s', (_, text, at) => {
    const error = faultOf(text)

    expect(error.fault).toBe('not_json')
    expect(Math.abs(error.at - at), `at ${error.at}, not about ${at}`).toBeLessThanOrEqual(1)
  })

  test('keeps nothing of the text in its error', () => {
    for (const text of [
      '{"token": hunter2hunter2}',
      '{"hunter2":1,"hunter2":2}',
      '{"hunter2\\q":1}',
      '{"__proto__":"hunter2"}',
    ]) {
      expect(inspect(faultOf(text), { depth: null, showHidden: true })).not.toContain('hunter2')
    }
  })
})

describe('what was parsed', () => {
  test('only an object is an object', () => {
    const values: readonly unknown[] = [null, [], '{}', 1, true, undefined]

    expect(values.map(isJsonObject)).toEqual(values.map(() => false))
    expect(isJsonObject({})).toBe(true)
  })

  test('gives a member that the text named, and never an inherited one', () => {
    const object = { aud: 'x', toString: 'own', nothing: null }

    expect(memberOf(object, 'aud')).toBe('x')
    expect(memberOf(object, 'toString')).toBe('own')
    expect(memberOf(object, 'nothing')).toBeNull()
    expect(['constructor', 'hasOwnProperty', '__proto__', 'valueOf'].map((name) => memberOf(object, name))).toEqual(
      Array.from({ length: 4 }),
    )
  })
})

test('a name that stands there twice is found however many members stand between, and before', () => {
  for (let count = 1; count <= 40; count++) {
    const names = Array.from({ length: count }, (_, index) => `"n${index}":${index}`)
    for (const again of [0, Math.floor(count / 2), count - 1]) {
      expect(() => parseStrictJson(`{${[...names, `"n${again}":0`].join(',')}}`, 4)).toThrow(/twice/)
    }
    expect(Object.keys(parseStrictJson(`{${names.join(',')}}`, 4) as object)).toHaveLength(count)
  }
})
