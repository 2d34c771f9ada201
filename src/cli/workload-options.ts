/** What every command of a workload takes: which broker, for which audience, and how to prove who it is. */

import { type Command, Option } from 'commander'
import type { TokenSourceSettings } from '../client/client.ts'
import { settingsFromEnvironment } from '../client/environment.ts'
import { UsageError } from './exit.ts'

/** The options as commander gives them. */
export interface WorkloadOptions {
  readonly broker?: string
  readonly audience?: string
  readonly scope?: readonly string[]
  readonly proofFile?: string
  readonly proofAudience?: string
  readonly provider?: ProviderName
  readonly proverSetting?: Readonly<Record<string, string>>
}

type ProviderName = NonNullable<NonNullable<TokenSourceSettings['proof']>['provider']>

const PROVIDERS: readonly ProviderName[] = ['aws', 'azure', 'gcp', 'kubernetes']

/** Every shared option, for whoever lists them: the flag, and the variable that stands in for it. */
export const WORKLOAD_VARIABLES = {
  broker: 'CHANCERY_BROKER',
  audience: 'CHANCERY_AUDIENCE',
  scope: 'CHANCERY_SCOPE',
  'proof-file': 'CHANCERY_PROOF_FILE',
  'proof-audience': 'CHANCERY_PROOF_AUDIENCE',
  provider: 'CHANCERY_PROVIDER',
} as const

/** Adds `--broker`, `--audience`, `--scope`, `--proof-file`, `--proof-audience`, `--provider` and `--prover-setting`. */
export function addWorkloadOptions(command: Command): Command {
  return addProofOptions(command.option('--broker <URL>', about('the broker’s issuer URL', 'broker')))
    .option('--audience <NAME>', about('whom the token is for; by default the identity’s only audience', 'audience'))
    .addOption(
      new Option(
        '--scope <SCOPE>',
        about('ask for less than all that the identity has there; may be repeated, or a list with spaces', 'scope'),
      ).argParser(gatherScopes),
    )
}

/** Adds only what says how the workload proves who it is. */
export function addProofOptions(command: Command): Command {
  return command
    .option('--proof-file <FILE>', about('take the proof from this file, which something keeps fresh', 'proof-file'))
    .option(
      '--proof-audience <URI>',
      about('whom the proof is made for; by default the broker’s URL', 'proof-audience'),
    )
    .addOption(
      new Option(
        '--provider <NAME>',
        about('the platform to prove by, instead of the one that is found', 'provider'),
      ).choices(PROVIDERS),
    )
    .addOption(
      new Option('--prover-setting <KEY=VALUE>', 'a setting of the provider’s own; may be repeated').argParser(
        gatherSettings,
      ),
    )
}

/**
 * Gives the settings of a token source: options first, then the environment.
 *
 * Throws {@link UsageError} where neither names a broker, or the broker is not a URL that a token may be asked of: `https`, or
 * `http` on this machine.
 */
export function toTokenSourceSettings(
  options: WorkloadOptions,
  environment: Partial<TokenSourceSettings> = settingsFromEnvironment(),
): TokenSourceSettings {
  const broker = options.broker ?? environment.broker
  if (broker === undefined) {
    throw new UsageError('which broker? Give --broker URL, or set CHANCERY_BROKER')
  }
  const chosen = { audience: options.audience ?? environment.audience, scope: options.scope ?? environment.scope }
  const proof = proofOf(options, environment.proof ?? {})
  return { ...withoutUndefined({ ...environment, ...chosen, proof }), broker: checkBroker(broker) }
}

function proofOf(
  options: WorkloadOptions,
  environment: NonNullable<TokenSourceSettings['proof']>,
): NonNullable<TokenSourceSettings['proof']> {
  return withoutUndefined({
    ...environment,
    provider: options.provider ?? environment.provider,
    file: options.proofFile ?? environment.file,
    audience: options.proofAudience ?? environment.audience,
    settings: options.proverSetting ?? environment.settings,
  })
}

/** A proof that is sent in the clear is anybody's. */
function checkBroker(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isLocal = url?.protocol === 'http:' && /^(127\.\d+\.\d+\.\d+|\[::1\]|localhost)$/.test(url.hostname)
  if (url?.protocol !== 'https:' && !isLocal) {
    throw new UsageError(`--broker: "${text}" is not an https URL, such as https://broker.example`)
  }
  return text
}

function gatherScopes(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), ...text.split(' ').filter((scope) => scope !== '')]
}

function gatherSettings(
  text: string,
  before: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> {
  const at = text.indexOf('=')
  if (at < 1) throw new UsageError(`--prover-setting: "${text}" is not KEY=VALUE`)
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}

function about(what: string, flag: keyof typeof WORKLOAD_VARIABLES): string {
  return `${what} [${WORKLOAD_VARIABLES[flag]}]`
}

/** Leaves out what nobody gave, so that a default can stand in its place. */
function withoutUndefined<T extends object>(members: T): { [Name in keyof T]: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [Name in keyof T]: Exclude<T[Name], undefined>
  }
}
