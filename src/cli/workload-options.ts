/** What every command of a workload takes: which broker, for which audience, and how to prove who it is. */

import { type Command, Option } from 'commander'
import type { ProviderName } from '../../providers/contract/proof.ts'
import { askBroker } from '../client/ask-broker.ts'
import { settingsFromEnvironment } from '../client/environment.ts'
import type { ProofSettings, TokenSourceSettings } from '../client/settings.ts'
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

const PROVER_SETTINGS_HELP = `
What --prover-setting can set, by platform:
  aws         proof (web_identity or signed_request), region (whose STS is asked)
  azure       client_id (which of several identities), tenant_id, token_path, authority_host (these three on AKS alone)
  gcp         service_account (whom to impersonate), iam_endpoint (where that is asked for)
  kubernetes  token_path (where the projected token is)`

const PROVIDERS: readonly ProviderName[] = ['aws', 'azure', 'gcp', 'kubernetes']

/** Adds `--broker`, `--audience`, `--scope`, `--proof-file`, `--proof-audience`, `--provider` and `--prover-setting`. */
export function addWorkloadOptions(command: Command): Command {
  command
    .addOption(settingOption('--broker <URL>', 'the broker’s URL, as its --issuer is written'))
    .addOption(settingOption('--audience <NAME>', 'whom the token is for; by default the identity’s only audience'))
    .addOption(
      settingOption('--scope <SCOPE>', 'less than all that the identity has there; a list, or repeated').argParser(
        gatherScopes,
      ),
    )
  return addProofOptions(command)
}

/** Adds only the options that say how the workload proves who it is. */
function addProofOptions(command: Command): Command {
  return command
    .addOption(settingOption('--proof-file <FILE>', 'take the proof from a file, which something keeps fresh'))
    .addOption(settingOption('--proof-audience <URI>', 'whom the proof is made for; by default the broker’s URL'))
    .addOption(
      settingOption('--provider <NAME>', 'the platform to prove by; by default the one that is found').choices(
        PROVIDERS,
      ),
    )
    .addOption(
      new Option(
        '--prover-setting <KEY=VALUE>',
        'a setting of the platform’s own, see below; may be repeated',
      ).argParser(gatherSettings),
    )
    .addHelpText('after', PROVER_SETTINGS_HELP)
}

/**
 * Gives the settings of a token source: what the options say, then what the environment says.
 *
 * Throws {@link UsageError} where neither names a broker. Whether what they name can be used is seen by the token source itself.
 */
export function toTokenSourceSettings(
  options: WorkloadOptions,
  environment: Partial<TokenSourceSettings> = settingsFromEnvironment(),
): TokenSourceSettings {
  const { broker, audience, scope } = { ...environment, ...given(options) }
  if (broker === undefined) throw new UsageError('which broker? Name it with --broker URL, or in CHANCERY_BROKER')
  const proof: ProofSettings = {
    ...environment.proof,
    ...given({
      provider: options.provider,
      file: options.proofFile,
      audience: options.proofAudience,
      settings: options.proverSetting,
    }),
  }
  return { askBroker, ...environment, broker, ...given({ audience, scope }), proof }
}

/** An option that a variable can stand in for; its help says which. */
function settingOption(flags: string, what: string): Option {
  const option = new Option(flags, what)
  const variable = `CHANCERY_${option.name().toUpperCase().replaceAll('-', '_')}`
  option.description = `${what} [${variable}]`
  return option
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

type Given<T> = { readonly [Name in keyof T]?: Exclude<T[Name], undefined> }

/** Leaves out what nobody gave, so that it hides nothing that somebody else did. */
function given<T extends object>(members: T): Given<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Given<T>
}
