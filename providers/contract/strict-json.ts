/** JSON as strangers and configuration must write it: one meaning, whoever reads it. */

import { findSyntaxFault } from './json-fault.ts'

export type JsonObject = { readonly [name: string]: unknown }

export type JsonFault = 'too_deep' | 'duplicate_member' | 'prototype_member' | 'not_json'

/** Text that is not JSON with one meaning. `at` is where in the text, in UTF-16 units. */
export class JsonError extends Error {
  readonly fault: JsonFault
  readonly at: number

  constructor(fault: JsonFault, at: number) {
    super(FAULTS[fault])
    this.name = 'JsonError'
    this.fault = fault
    this.at = at
  }
}

const FAULTS: Readonly<Record<JsonFault, string>> = {
  too_deep: 'the JSON is nested too deeply',
  duplicate_member: 'a JSON object names a member twice',
  prototype_member: 'a JSON object names a member __proto__',
  not_json: 'the text is not JSON',
}

/**
 * Parses JSON and refuses what parsers are known to read differently: an object that names a member twice, however it is
 * escaped, a member `__proto__`, and nesting beyond `maxDepth`. A byte order mark is not JSON either.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8725.html#section-2.4 RFC 8725 section 2.4}
 */
export function parseStrictJson(text: string, maxDepth: number): unknown {
  findAmbiguity(text, maxDepth)
  try {
    return JSON.parse(text)
  } catch {
    throw new JsonError('not_json', findSyntaxFault(text))
  }
}

/** Reads an object as {@link parseStrictJson} would; undefined for a text that is anything else. */
export function readJsonObject(text: string, maxDepth: number): JsonObject | undefined {
  try {
    const value = parseStrictJson(text, maxDepth)
    return isJsonObject(value) ? value : undefined
  } catch (error) {
    if (error instanceof JsonError) return undefined
    throw error
  }
}

/** Answers whether a parsed value is an object, neither null nor an array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Gives a member that the text itself named; never one inherited from a prototype. */
export function memberOf(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/** One pass over the characters, before the parser. On text that is not JSON it may miss a duplicate: the parser refuses that. */
function findAmbiguity(text: string, maxDepth: number): void {
  const open: (Names | undefined)[] = []
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case OPEN_BRACE:
      case OPEN_BRACKET:
        if (open.length === maxDepth) throw new JsonError('too_deep', at)
        open.push(text.charCodeAt(at) === OPEN_BRACE ? { few: [], many: undefined } : undefined)
        break
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        open.pop()
        break
      case QUOTE: {
        const end = endOfString(text, at)
        const names = open.at(-1)
        if (names !== undefined && isFollowedByColon(text, end)) addName(names, text, at, end)
        at = end
        break
      }
    }
  }
}

/** Gives the index of the closing quote, or the text's last index where there is none. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit === BACKSLASH) at++
    else if (unit === QUOTE) return at
  }
  return text.length - 1
}

function isFollowedByColon(text: string, end: number): boolean {
  let at = end + 1
  while (at < text.length && ' \t\r\n'.includes(text.charAt(at))) at++
  return text.charCodeAt(at) === COLON
}

/** The names of one object's members: a list while there are few, as in most objects, which costs a third of a set. */
interface Names {
  readonly few: string[]
  many: Set<string> | undefined
}

/** Names that are searched one by one. */
const FEW = 8

function addName(names: Names, text: string, start: number, end: number): void {
  const name = unquote(text.slice(start, end + 1), start)
  if (names.many === undefined ? names.few.includes(name) : names.many.has(name)) {
    throw new JsonError('duplicate_member', start)
  }
  if (name === '__proto__') throw new JsonError('prototype_member', start)
  if (names.many !== undefined) names.many.add(name)
  else if (names.few.push(name) > FEW) names.many = new Set(names.few)
}

function unquote(literal: string, at: number): string {
  if (!literal.includes('\\')) return literal.slice(1, -1)
  try {
    return String(JSON.parse(literal))
  } catch {
    throw new JsonError('not_json', at)
  }
}
