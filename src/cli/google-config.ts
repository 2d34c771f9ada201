/** `chancery google-config`: writes the file by which Google's auth libraries become clients of the broker, without a line of code. */

import { PROJECTED_TOKEN_PATH } from '../client/proof-file.ts'
import { readTokenEndpoint, type TokenSourceSettings } from '../client/settings.ts'
import {
  awsSource,
  type CredentialSource,
  executableSource,
  externalAccount,
  fileSource,
  type GoogleSource,
  SOURCE_OF,
  urlSource,
} from './credential/google-source.ts'
import { writeAtomically } from './delivery/atomic-file.ts'
import { EXIT, type Terminal, UsageError } from './exit.ts'
import { toTokenSourceSettings, type WorkloadOptions } from './workload-options.ts'

export interface GoogleConfigOptions extends WorkloadOptions {
  readonly source?: GoogleSource
  readonly metadataOrigin?: string
  readonly command: string
  readonly output?: string
}

/** There is no secret in it, and other users' libraries may read it. */
const PUBLIC_MODE = 0o644

const ONLY_GO_AND_JAVA =
  'chancery: with the source aws, only the libraries of Go and Java make a proof that names the broker: ' +
  'for those of Node, Python and others, take --source executable\n'

/** Writes the file to `--output`, or to standard output. */
export async function runGoogleConfig(options: GoogleConfigOptions, terminal: Terminal): Promise<number> {
  const settings = toTokenSourceSettings(options)
  const { broker, audience } = settings
  // Refuses a broker that no workload could use.
  readTokenEndpoint(broker)
  if (audience === undefined) throw new UsageError('google-config: for which audience? Name it with --audience')
  const source = sourceOf(options, settings, audience)
  const text = `${JSON.stringify(externalAccount(broker, audience, source), undefined, 2)}\n`
  if ('environment_id' in source) terminal.err(ONLY_GO_AND_JAVA)
  if (options.output === undefined) terminal.out(text)
  else await write(options.output, text)
  return EXIT.done
}

function sourceOf(options: GoogleConfigOptions, settings: TokenSourceSettings, audience: string): CredentialSource {
  const provider = settings.proof?.provider
  const byDefault = provider === undefined || options.proofFile !== undefined ? 'file' : SOURCE_OF[provider]
  const kind = options.source ?? byDefault
  refuseUnused(kind, options)
  switch (kind) {
    case 'file':
      return fileSource(settings.proof?.file ?? PROJECTED_TOKEN_PATH)
    case 'url':
      return urlSource(provider, settings.proof?.audience ?? settings.broker, options.metadataOrigin)
    case 'executable':
      return executableSource([options.command, ...commandWords(options, settings, audience)])
    case 'aws':
      return awsSource()
  }
}

/** An option that the file has no place for would be believed to count. */
function refuseUnused(
  kind: GoogleSource,
  { scope, proverSetting, metadataOrigin, proofFile }: GoogleConfigOptions,
): void {
  const unused = [
    scope !== undefined && '--scope has no place in the file: name scopes where the library is called',
    proverSetting !== undefined && kind !== 'executable' && '--prover-setting is for --source executable',
    metadataOrigin !== undefined && kind !== 'url' && '--metadata-origin is for --source url',
    proofFile !== undefined &&
      kind !== 'file' &&
      kind !== 'executable' &&
      '--proof-file is for --source file or executable',
  ].find((message) => message !== false)
  if (unused !== undefined) throw new UsageError(`google-config: ${unused}`)
}

/** The library starts the command wherever it runs itself, so nothing is left to that environment. */
function commandWords(options: GoogleConfigOptions, { broker, proof = {} }: TokenSourceSettings, audience: string) {
  const word = (name: string, value: string | undefined) => (value === undefined ? [] : [`--${name}=${value}`])
  return [
    ...['credential', 'gcp', '--proof', `--broker=${broker}`, `--audience=${audience}`],
    ...word('provider', proof.provider),
    ...word('proof-file', proof.file),
    ...word('proof-audience', proof.audience),
    ...Object.entries(options.proverSetting ?? {}).flatMap(([name, value]) =>
      word('prover-setting', `${name}=${value}`),
    ),
  ]
}

async function write(path: string, text: string): Promise<void> {
  try {
    await writeAtomically(path, text, PUBLIC_MODE)
  } catch {
    throw new UsageError(`--output: "${path}" cannot be written`)
  }
}
