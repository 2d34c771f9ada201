/** The only place of the client that reads the environment. */

import type { ProviderName } from '../../providers/contract/proof.ts'
import type { ProofSettings } from './settings.ts'
import { TokenSourceError } from './token-source-error.ts'

/** Variables by their names. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The variables that a workload's side reads or sets, for `chancery serve` to know that they are none of its own. */
export const CLIENT_VARIABLES = [
  'CHANCERY_BROKER',
  'CHANCERY_AUDIENCE',
  'CHANCERY_SCOPE',
  'CHANCERY_PROOF_FILE',
  'CHANCERY_PROOF_AUDIENCE',
  'CHANCERY_PROVIDER',
  'CHANCERY_TOKEN',
  'CHANCERY_TOKEN_FILE',
  'CHANCERY_CREDENTIAL_HOSTS',
  'CHANCERY_CREDENTIAL_USERNAME',
  'CHANCERY_CREDENTIAL_ASKED',
] as const

/** Gives this process's environment: the platform's provers look for their own variables in it. */
export function processEnvironment(): Environment {
  return process.env
}

/** Leaves word for the programs that this process starts, an SDK's credential processes among them. */
export function tellChildren(name: (typeof CLIENT_VARIABLES)[number], value: string): void {
  process.env[name] = value
}

/** What the environment may set of a token source. The file of a proof is not among it: its turn comes after every setting. */
export interface EnvironmentSettings {
  readonly broker?: string
  readonly audience?: string
  readonly scope?: string
  readonly proof?: Pick<ProofSettings, 'provider' | 'audience'>
}

/**
 * Gives the settings that variables stand for; one that is empty counts as absent.
 *
 * Throws {@link TokenSourceError} `settings_invalid` where `CHANCERY_PROVIDER` names no platform.
 */
export function settingsFromEnvironment(environment: Environment = processEnvironment()): EnvironmentSettings {
  const given = (name: (typeof CLIENT_VARIABLES)[number]): string | undefined => environment[name] || undefined
  const proof = { provider: readProvider(given('CHANCERY_PROVIDER')), audience: given('CHANCERY_PROOF_AUDIENCE') }
  return withoutUndefined({
    broker: given('CHANCERY_BROKER'),
    audience: given('CHANCERY_AUDIENCE'),
    scope: given('CHANCERY_SCOPE'),
    proof: withoutUndefined(proof),
  })
}

const PROVIDERS: readonly string[] = ['aws', 'azure', 'gcp', 'kubernetes'] satisfies readonly ProviderName[]

function readProvider(name: string | undefined): ProviderName | undefined {
  if (name === undefined || isProvider(name)) return name
  throw new TokenSourceError('settings_invalid', `CHANCERY_PROVIDER must be one of ${PROVIDERS.join(', ')}`)
}

function isProvider(name: string): name is ProviderName {
  return PROVIDERS.includes(name)
}

type Given<T> = { readonly [Name in keyof T]?: Exclude<T[Name], undefined> }

function withoutUndefined<T extends object>(members: T): Given<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Given<T>
}
