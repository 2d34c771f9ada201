/** JSON texts with everything in them that is spelled in more than one way, and what is wrong with each. */

import fc from 'fast-check'

/** A JSON text, and what a strict reader must see in it. */
export interface JsonText {
  readonly text: string
  /** Levels of objects and arrays. */
  readonly depth: number
  /** Whether some object names a member twice. */
  readonly hasTwins: boolean
  /** Whether some object names a member `__proto__`. */
  readonly hasPrototype: boolean
}

/** Few names, so that some come twice; `a\u0000` and the like so that no spelling is taken for another name. */
const NAMES = [
  '',
  'a',
  'b',
  'aud',
  'A',
  'é',
  'e\u0301',
  '"',
  '\\',
  '\\u0061',
  '/',
  '\n',
  '\ud800',
  '__proto__',
  'constructor',
]

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '/': '\\/',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
}

/** Spells a string in one of the many ways in which JSON can: each number decides for one UTF-16 unit. */
export function spellJson(text: string, choices: readonly number[]): string {
  const units = text.split('').map((unit, index) => {
    const choice = (choices[index % Math.max(choices.length, 1)] ?? 0) % 4
    const hex = unit.charCodeAt(0).toString(16).padStart(4, '0')
    if (choice === 1) return `\\u${hex}`
    if (choice === 2) return `\\u${hex.toUpperCase()}`
    const needsEscape = unit < ' ' || unit === '"' || unit === '\\'
    return choice === 3 || needsEscape ? (SHORT_ESCAPES[unit] ?? (needsEscape ? `\\u${hex}` : unit)) : unit
  })
  return `"${units.join('')}"`
}

const choices = fc.array(fc.nat(3), { minLength: 1, maxLength: 4 })
const space = fc.constantFrom('', '', ' ', '\n', '\t\r ')
const scalar = fc.oneof(
  fc.constantFrom('null', 'true', 'false', '0', '-0', '1e3', '-1.5E-7', '1e400'),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => JSON.stringify(number)),
  fc.tuple(fc.string(), choices).map(([text, spelling]) => spellJson(text, spelling)),
  // Strings that look like the inside of an object.
  fc.constantFrom('"{"', '"}"', '"a\\":"', '"\\\\"', '"[{\\"a\\":1,\\"a\\":2}]"', '"__proto__"'),
)

/** Any JSON text of few levels, with twins now and then. */
export const jsonText: fc.Arbitrary<JsonText> = fc.letrec<{ node: JsonText }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    scalar.map((text) => ({ text, depth: 0, hasTwins: false, hasPrototype: false })),
    fc.tuple(fc.array(tie('node'), { maxLength: 3 }), space).map(([items, gap]) => arrayOf(items, gap)),
    fc
      .array(fc.tuple(fc.constantFrom(...NAMES), choices, tie('node'), space), { maxLength: 4 })
      .map((members) => objectOf(members)),
  ),
})).node

function arrayOf(items: readonly JsonText[], gap: string): JsonText {
  return { ...summary(items), text: `${gap}[${gap}${items.map(({ text }) => text).join(`${gap},`)}${gap}]` }
}

type Member = readonly [name: string, spelling: readonly number[], value: JsonText, gap: string]

function objectOf(members: readonly Member[]): JsonText {
  const names = members.map(([name]) => name)
  const { depth, hasTwins, hasPrototype } = summary(members.map(([, , value]) => value))
  const texts = members.map(
    ([name, spelling, { text }, gap]) => `${gap}${spellJson(name, spelling)}${gap}:${gap}${text}${gap}`,
  )
  return {
    text: `{${texts.join(',')}}`,
    depth,
    hasTwins: hasTwins || new Set(names).size < names.length,
    hasPrototype: hasPrototype || names.includes('__proto__'),
  }
}

function summary(parts: readonly JsonText[]): Omit<JsonText, 'text'> {
  return {
    depth: 1 + Math.max(0, ...parts.map(({ depth }) => depth)),
    hasTwins: parts.some(({ hasTwins }) => hasTwins),
    hasPrototype: parts.some(({ hasPrototype }) => hasPrototype),
  }
}
