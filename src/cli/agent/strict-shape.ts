/**
 * Reads JSON-like values of a known shape, and refuses every member that nobody knows.
 *
 * A schema library would do; it takes 12 of the 80 MiB that an agent beside every workload may have.
 */

import type { SettingsProblem } from '../../../providers/contract/errors.ts'

type Path = SettingsProblem['path']

/** Gives a value in its shape, or undefined and at least one problem. */
export type Reader<T> = (value: unknown, path: Path, problems: SettingsProblem[]) => T | undefined

/** A member that need not be there. */
interface Optional<T> {
  readonly optional: Reader<T>
}

type Member = Reader<unknown> | Optional<unknown>

type ValueOf<M> = M extends Reader<infer T> ? T : never

type OptionalNames<S> = { [Name in keyof S]: S[Name] extends Optional<unknown> ? Name : never }[keyof S]

/** What an object of a shape holds. */
export type Shaped<S> = { readonly [Name in Exclude<keyof S, OptionalNames<S>>]: ValueOf<S[Name]> } & {
  readonly [Name in OptionalNames<S>]?: S[Name] extends Optional<infer T> ? T : never
}

export function optional<T>(reader: Reader<T>): Optional<T> {
  return { optional: reader }
}

/** Reads an object that has these members and no other. */
export function shape<S extends Readonly<Record<string, Member>>>(members: S): Reader<Shaped<S>> {
  return (value, path, problems) => {
    if (!isObject(value)) return refuse(problems, path, 'must be an object')
    const before = problems.length
    for (const name of Object.keys(value).filter((each) => !Object.hasOwn(members, each))) {
      refuse(problems, [...path, name], `there is no such member; there are ${Object.keys(members).join(', ')}`)
    }
    const read: Record<string, unknown> = {}
    for (const [name, member] of Object.entries(members)) {
      const isGiven = Object.hasOwn(value, name)
      const reader = typeof member === 'function' ? member : member.optional
      if (isGiven) read[name] = reader(value[name], [...path, name], problems)
      else if (typeof member === 'function') refuse(problems, [...path, name], 'is missing')
    }
    return problems.length === before ? (read as Shaped<S>) : undefined
  }
}

/** Reads a text that is not empty, has no control character and passes a check; the check says what is wrong. */
export function text(check: (text: string) => string | undefined = () => undefined): Reader<string> {
  return (value, path, problems) => {
    if (typeof value !== 'string') return refuse(problems, path, 'must be a text; write it in quotes')
    const wrong = /^\P{Cc}+$/u.test(value)
      ? check(value)
      : 'must have at least one character, and none that cannot be seen'
    return wrong === undefined ? value : refuse(problems, path, wrong)
  }
}

/** Reads one of a few words. */
export function oneOf<Word extends string>(words: readonly Word[]): Reader<Word> {
  return (value, path, problems) =>
    words.find((word) => word === value) ?? refuse(problems, path, `must be one of ${words.join(', ')}`)
}

/** Reads a list of at least one thing, and no more than `most`. */
export function list<T>(reader: Reader<T>, most: number): Reader<readonly T[]> {
  return (value, path, problems) => {
    if (!Array.isArray(value) || value.length === 0 || value.length > most) {
      return refuse(problems, path, `must be a list of 1 to ${most}`)
    }
    const before = problems.length
    const read = value.flatMap((each: unknown, at) => reader(each, [...path, at], problems) ?? [])
    return problems.length === before ? read : undefined
  }
}

/** Reads an object whose members are somebody else's to judge. */
export const anyObject: Reader<Readonly<Record<string, unknown>>> = (value, path, problems) =>
  isObject(value) ? value : refuse(problems, path, 'must be an object')

/** Notes what is wrong, with its place in front. */
export function refuse(problems: SettingsProblem[], path: Path, what: string): undefined {
  const place = path.reduce<string>(
    (before, key) => (typeof key === 'number' ? `${before}[${key}]` : `${before === '' ? '' : `${before}.`}${key}`),
    '',
  )
  problems.push({ path, code: 'shape', message: place === '' ? what : `${place}: ${what}` })
  return undefined
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
