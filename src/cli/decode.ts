/** `chancery decode TOKEN`: what is written in a token, by whomever. */

import type { JsonObject } from '../../providers/contract/strict-json.ts'
import { readUnverifiedJwt, type UnverifiedJwt } from './credential/unverified-jwt.ts'
import { EXIT, type Terminal } from './exit.ts'
import { printable } from './printable.ts'
import { tellTime } from './tell-time.ts'
import { readTokenArgument } from './token-argument.ts'

export interface DecodeOptions {
  readonly json?: boolean
}

const NOT_VERIFIED = 'not verified: anybody can write this. chancery verify tells whether the broker did'

/** Prints header and claims, and never the signature: with it, what is printed would be the token. Exit code 1 for what is no JWT. */
export async function runDecode(
  argument: string,
  { json = false }: DecodeOptions,
  terminal: Terminal,
): Promise<number> {
  const jwt = readUnverifiedJwt(await readTokenArgument(argument))
  if (jwt === undefined) {
    terminal.err('chancery: this is not a JWT: not three parts in base64url, of which two are JSON objects\n')
    return EXIT.refused
  }
  const now = Math.floor(Date.now() / 1_000)
  terminal.out(json ? toJson(jwt, now) : toText(jwt, now))
  return EXIT.done
}

/** Claims of RFC 7519, and of OpenID, that are times. */
const TIMES = ['auth_time', 'iat', 'nbf', 'exp']

function timesOf(claims: JsonObject, now: number): Readonly<Record<string, string>> {
  const names = TIMES.filter((name) => Object.hasOwn(claims, name))
  return Object.fromEntries(names.map((name) => [name, tellTime(claims[name], now)]))
}

function toJson({ header, claims }: UnverifiedJwt, now: number): string {
  return `${safeLines({ verified: false, header, claims, times: timesOf(claims, now) }).join('\n')}\n`
}

function toText({ header, claims }: UnverifiedJwt, now: number): string {
  const times = Object.entries(timesOf(claims, now)).map(([name, time]) => `  ${name.padEnd(10)}${time}`)
  const lines = [
    NOT_VERIFIED,
    ...['', 'header', ...indented(header)],
    ...['', 'claims', ...indented(claims)],
    ...(times.length === 0 ? [] : ['', 'times', ...times]),
  ]
  return `${lines.join('\n')}\n`
}

function indented(value: JsonObject): readonly string[] {
  return safeLines(value).map((line) => `  ${line}`)
}

/** What a stranger wrote must not reach the terminal as a command: within JSON, every escape still says the same. */
function safeLines(value: JsonObject): readonly string[] {
  return JSON.stringify(value, undefined, 2).split('\n').map(printable)
}
