/** `chancery verify TOKEN`: what a service would say of a token. */

import { settingsFromEnvironment } from '../client/environment.ts'
import { createVerifier, KeysUnavailable, type Principal, TokenRefused } from '../verify/verifier.ts'
import { EXIT, type Terminal, UsageError } from './exit.ts'
import { printable } from './printable.ts'
import { tellTime } from './tell-time.ts'
import { readTokenArgument } from './token-argument.ts'

export interface VerifyOptions {
  readonly issuer?: string
  readonly audience?: string
  readonly scope?: readonly string[]
  readonly tokenType?: 'at+jwt' | 'JWT'
  readonly json?: boolean
}

/** Verifies a token with the broker's published keys. Exit code 1 for one that is refused, 3 where the keys cannot be had. */
export async function runVerify(argument: string, options: VerifyOptions, terminal: Terminal): Promise<number> {
  const environment = settingsFromEnvironment()
  const { issuer = environment.broker, audience = environment.audience } = options
  if (issuer === undefined)
    throw new UsageError('whose token should it be? Name the broker with --issuer, or in CHANCERY_BROKER')
  if (audience === undefined) {
    throw new UsageError('for whom should it be? Name the service’s audience with --audience, or in CHANCERY_AUDIENCE')
  }
  const { scope = [], tokenType } = options
  const verifier = createVerifier({ issuer, audience, scope, ...(tokenType === undefined ? {} : { tokenType }) })
  try {
    const principal = await verifier.verify(await readTokenArgument(argument))
    terminal.out(options.json === true ? toJson(principal) : toText(principal))
    return EXIT.done
  } catch (error) {
    if (!(error instanceof TokenRefused) && !(error instanceof KeysUnavailable)) throw error
    if (options.json === true) terminal.out(`${JSON.stringify(refusalOf(error))}\n`)
    const detail = error instanceof TokenRefused && error.detail !== '' ? ` (${printable(error.detail)})` : ''
    terminal.err(`chancery: ${error.message}${detail} [${error.code}]\n`)
    return error instanceof TokenRefused ? EXIT.refused : EXIT.later
  }
}

function refusalOf(error: TokenRefused | KeysUnavailable): object {
  const { code, message } = error
  return error instanceof TokenRefused
    ? { verified: false, code, message, ...(error.detail === '' ? {} : { detail: error.detail }) }
    : { code, message, retry_after_seconds: error.retryAfterSeconds }
}

function toJson({ identity, spiffeId, scopes, proof, claims }: Principal): string {
  return `${JSON.stringify({ verified: true, identity, spiffe_id: spiffeId, scopes, proof, claims }, undefined, 2)}\n`
}

function toText({ identity, spiffeId, scopes, proof, claims }: Principal): string {
  const now = Math.floor(Date.now() / 1_000)
  const lines = [
    ['identity', identity],
    ['spiffe id', spiffeId],
    ['audience', String(claims.aud)],
    ['scopes', scopes.length === 0 ? 'none' : scopes.join(' ')],
    ['proof', `${proof.provider}, trusted issuer ${proof.trusted_issuer}, subject ${proof.subject}`],
    ['expires', tellTime(claims.exp, now)],
  ]
  const told = lines.map(([name = '', value = '']) => `${name.padEnd(10)}${printable(value)}\n`)
  return `verified\n${told.join('')}`
}
