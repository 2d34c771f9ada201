/** `chancery token`: proves who this workload is, and prints the token that it gets. */

import type { ServiceToken, TokenSource } from '../client/client.ts'
import type { ProofChoice } from '../client/find-proof.ts'
import { formatToken, type TokenFormat } from './delivery/token-format.ts'
import { EXIT, type Terminal } from './exit.ts'
import { useTokenSource } from './use-token-source.ts'
import type { WorkloadOptions } from './workload-options.ts'

export interface TokenCommandOptions extends WorkloadOptions {
  readonly format: TokenFormat
  readonly explain?: boolean
}

/** Prints one token to standard output, and nothing else there: what is explained goes to standard error. */
export async function runToken(options: TokenCommandOptions, terminal: Terminal): Promise<number> {
  return await useTokenSource(options, terminal, async (source) => {
    const token = options.explain === true ? await explainToken(source, terminal) : await source.token()
    terminal.out(`${formatToken(token, options.format, now())}\n`)
    return EXIT.done
  })
}

/** Says how the proof was chosen before it is asked for, so that it stands there whatever comes of it. */
async function explainToken(source: TokenSource, terminal: Terminal): Promise<ServiceToken> {
  terminal.err(tellChoice(await source.explain()))
  const token = await source.token()
  terminal.err(tellToken(token))
  return token
}

function tellChoice({ provider, source, why, file, tried }: ProofChoice): string {
  const lines = [
    ...tried.map((attempt) => `looked at ${WORDS[attempt.source]}: ${attempt.outcome}`),
    `looked at ${WORDS[source]}: ${why}`,
    `proves by ${file === undefined ? '' : `the file ${file}, `}${provider ?? 'whatever platform made it'}`,
  ]
  return lines.map((line) => `chancery: ${line}\n`).join('')
}

const WORDS: Readonly<Record<ProofChoice['source'], string>> = {
  setting: 'the settings',
  proof_file: 'CHANCERY_PROOF_FILE',
  projected_token: 'the projected token',
  environment: 'the environment',
  metadata: 'the metadata address',
}

function tellToken({ audience, scope, expiresAt }: ServiceToken): string {
  const target = audience === undefined ? 'the identity’s only audience' : `audience ${audience}`
  const scopes = scope === undefined || scope === '' ? '' : `, scope ${scope}`
  return `chancery: got a token for ${target}${scopes}, for ${Math.max(0, expiresAt - now())} s\n`
}

function now(): number {
  return Math.floor(Date.now() / 1_000)
}
