/** What an agent is told to do, as a file says it. */

import { constants } from 'node:os'
import { isAbsolute, normalize } from 'node:path'
import { SettingsError, type SettingsProblem } from '../../../providers/contract/errors.ts'
import type { ProviderName } from '../../../providers/contract/proof.ts'
import { PRIVATE_MODE } from '../delivery/atomic-file.ts'
import { TOKEN_FORMATS, type TokenFormat } from '../delivery/token-format.ts'
import { LOG_FORMATS, type LogFormat } from './agent-log.ts'
import { LISTEN_FORMS, type ListenPlace, parseListen } from './listen-place.ts'
import { anyObject, list, oneOf, optional, refuse, type Shaped, shape, text } from './strict-shape.ts'

/** Whom to tell that a file has a new token. */
export type OnChange =
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals; readonly pidFile: string }
  | { readonly kind: 'command'; readonly command: readonly string[] }

/** A file that always has a token in it. */
export interface OutputConfig {
  readonly audience: string
  readonly scope?: string
  readonly file: string
  readonly mode: number
  readonly format: TokenFormat
  readonly onChange?: OnChange
}

export interface AgentConfig {
  readonly broker?: string
  readonly proof?: Shaped<typeof proofShape>
  readonly outputs: readonly OutputConfig[]
  readonly listen?: ListenPlace
  readonly log?: LogFormat
}

const PROVIDERS: readonly ProviderName[] = ['aws', 'azure', 'gcp', 'kubernetes']

/** More outputs than this are a mistake in whatever wrote the file. */
const MAX_OUTPUTS = 64

const path = text((value) => (isAbsolute(value) ? undefined : 'must be an absolute path'))

const proofShape = {
  provider: optional(oneOf(PROVIDERS)),
  file: optional(path),
  subject_token_type: optional(text()),
  audience: optional(text()),
  settings: optional(anyObject),
}

const signals = Object.keys(constants.signals) as readonly NodeJS.Signals[]

const onChangeShape = {
  signal: optional(oneOf(signals)),
  pid_file: optional(path),
  command: optional(list(text(), 64)),
}

const outputShape = {
  audience: text(),
  scope: optional(text()),
  file: path,
  mode: optional(text((value) => (parseMode(value) === undefined ? MODE_ADVICE : undefined))),
  format: optional(oneOf(TOKEN_FORMATS)),
  on_change: optional(shape(onChangeShape)),
}

const configShape = {
  broker: optional(text()),
  proof: optional(shape(proofShape)),
  outputs: optional(list(shape(outputShape), MAX_OUTPUTS)),
  listen: optional(text((value) => (parseListen(value) === undefined ? LISTEN_FORMS : undefined))),
  log: optional(oneOf(LOG_FORMATS)),
}

export const MODE_ADVICE = 'must be an octal number of four digits that lets nobody else write, such as "0640"'

/** Reads a mode: octal, readable by its owner, and writable by nobody else. Undefined where it is none. */
export function parseMode(value: string): number | undefined {
  const mode = /^0[0-7]{3}$/.test(value) ? Number.parseInt(value, 8) : undefined
  return mode !== undefined && (mode & 0o400) !== 0 && (mode & 0o133) === 0 ? mode : undefined
}

/** Reads a configuration that was parsed from JSON or YAML. Throws {@link SettingsError} with every problem in it, each with its place. */
export function readAgentConfig(value: unknown): AgentConfig {
  const problems: SettingsProblem[] = []
  const read = shape(configShape)(value, [], problems)
  const outputs = (read?.outputs ?? []).map((output, at) => toOutput(output, ['outputs', at], problems))
  if (problems.length > 0 || read === undefined) throw new SettingsError(problems)
  const { broker, proof, log } = read
  const listen = read.listen === undefined ? undefined : parseListen(read.listen)
  return {
    ...(broker === undefined ? {} : { broker }),
    ...(proof === undefined ? {} : { proof }),
    ...(listen === undefined ? {} : { listen }),
    ...(log === undefined ? {} : { log }),
    outputs,
  }
}

/** Throws {@link SettingsError} where there is nothing to do, or one file would have two tokens. */
export function checkWork({ outputs, listen }: Pick<AgentConfig, 'outputs' | 'listen'>): void {
  const problems: SettingsProblem[] = []
  if (outputs.length === 0 && listen === undefined) {
    refuse(problems, [], 'there is nothing to do: name an output, or where to listen')
  }
  const seen = new Set<string>()
  for (const [at, { file }] of outputs.entries()) {
    if (seen.has(file)) refuse(problems, ['outputs', at, 'file'], `${file} is another output’s file too`)
    seen.add(file)
  }
  if (problems.length > 0) throw new SettingsError(problems)
}

function toOutput(
  output: Shaped<typeof outputShape>,
  at: SettingsProblem['path'],
  problems: SettingsProblem[],
): OutputConfig {
  const { audience, scope, file, mode, format = 'raw', on_change: told } = output
  const onChange = told === undefined ? undefined : toOnChange(told, [...at, 'on_change'], problems)
  return {
    audience,
    file: normalize(file),
    format,
    mode: mode === undefined ? PRIVATE_MODE : (parseMode(mode) ?? PRIVATE_MODE),
    ...(scope === undefined ? {} : { scope }),
    ...(onChange === undefined ? {} : { onChange }),
  }
}

function toOnChange(
  { signal, pid_file: pidFile, command }: Shaped<typeof onChangeShape>,
  at: SettingsProblem['path'],
  problems: SettingsProblem[],
): OnChange | undefined {
  if (command !== undefined && signal === undefined && pidFile === undefined) return { kind: 'command', command }
  if (command === undefined && signal !== undefined && pidFile !== undefined) return { kind: 'signal', signal, pidFile }
  return refuse(problems, at, 'must have either a command, or a signal and a pid_file')
}
