/** `chancery agent`: keeps tokens in files, and gives them to whoever asks on this machine. */

import { resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { SettingsError } from '../../providers/contract/errors.ts'
import { createTokenSource } from '../client/client.ts'
import { settingsFromEnvironment } from '../client/environment.ts'
import type { ProofSettings, TokenSourceSettings } from '../client/settings.ts'
import { TokenSourceError } from '../client/token-source-error.ts'
import { type AgentPlan, startAgent } from './agent/agent.ts'
import { type AgentLog, createAgentLog, type LogFormat } from './agent/agent-log.ts'
import { type AgentConfig, checkWork, MODE_ADVICE, type OutputConfig, parseMode } from './agent/config.ts'
import { readConfigFile } from './agent/config-file.ts'
import { keepSmall } from './agent/keep-small.ts'
import { LISTEN_FORMS, parseListen } from './agent/listen-place.ts'
import { writeOnce } from './agent/once.ts'
import { PRIVATE_MODE } from './delivery/atomic-file.ts'
import { REAL_WORLD } from './delivery/keep-fresh.ts'
import type { TokenFormat } from './delivery/token-format.ts'
import { EXIT, type Terminal, UsageError } from './exit.ts'
import { exitCodeOf, sentenceOf } from './use-token-source.ts'
import { toTokenSourceSettings, type WorkloadOptions } from './workload-options.ts'

export interface AgentOptions extends WorkloadOptions {
  readonly config?: string
  readonly output?: readonly string[]
  readonly mode?: string
  readonly format: TokenFormat
  readonly listen?: string
  readonly once?: boolean
  readonly log?: LogFormat
}

/** Longest that a timer can be set for, in milliseconds. */
const FOREVER_MS = 2 ** 31 - 1

/** How long an agent that ends waits for a configuration that is being read again, in milliseconds. */
const RELOAD_MS = 2_000

/**
 * Runs an agent until it is told to end (SIGTERM, SIGINT), and reads the configuration again when told to (SIGHUP). With `once`,
 * writes every file and ends.
 */
export async function runAgent(options: AgentOptions, terminal: Terminal): Promise<number> {
  const life = setInterval(() => undefined, FOREVER_MS)
  try {
    const { plan, logFormat } = await readPlan(options)
    const log = createAgentLog(logFormat, terminal.err, Date.now)
    if (options.once === true) return await runOnce(plan, log)
    return await runUntilTold(plan, () => readPlan(options), log)
  } catch (error) {
    if (!(error instanceof TokenSourceError)) throw error
    terminal.err(`chancery: ${sentenceOf(error)}\n`)
    return exitCodeOf(error)
  } finally {
    clearInterval(life)
  }
}

async function runOnce(plan: AgentPlan, log: AgentLog): Promise<number> {
  const source = createTokenSource(plan.settings)
  try {
    const [trouble] = await writeOnce(plan.outputs, source, log, REAL_WORLD)
    if (trouble === undefined) return EXIT.done
    return trouble instanceof TokenSourceError ? exitCodeOf(trouble) : EXIT.wrong
  } finally {
    source.close()
  }
}

interface Read {
  readonly plan: AgentPlan
  readonly logFormat: LogFormat
}

async function runUntilTold(plan: AgentPlan, readAgain: () => Promise<Read>, log: AgentLog): Promise<number> {
  keepSmall()
  const agent = await startAgent(plan, log, REAL_WORLD)
  let turn: Promise<void> = Promise.resolve()
  const reload = (): void => {
    turn = turn.then(async () => {
      try {
        await agent.follow((await readAgain()).plan)
        log.info('configuration read again')
      } catch (error) {
        log.error('the new configuration cannot be used; the old one stays', { reason: tell(error) })
      }
    })
  }
  process.on('SIGHUP', reload)
  const told = new Promise<string>((heard) => {
    for (const each of ['SIGTERM', 'SIGINT'] as const) process.once(each, heard)
  })
  log.info('agent ready', { pid: process.pid, outputs: plan.outputs.length })
  log.info('ending', { signal: await told })
  process.off('SIGHUP', reload)
  // What a plan that is being read would still open is to be there when everything is closed.
  await Promise.race([turn, setTimeout(RELOAD_MS, undefined, { ref: false })])
  await agent.stop()
  return EXIT.done
}

/** Options come first, then the file, then the environment. */
async function readPlan(options: AgentOptions): Promise<Read> {
  const config = options.config === undefined ? { outputs: [] } : await readConfigFile(options.config)
  const outputs = [...config.outputs, ...(options.output ?? []).map((text) => toOutput(text, options))]
  const listen = options.listen === undefined ? config.listen : parseListen(options.listen)
  if (options.listen !== undefined && listen === undefined) throw new UsageError(`--listen: ${LISTEN_FORMS}`)
  const work = { outputs, ...(listen === undefined ? {} : { listen }) }
  checkWork(options.once === true ? { outputs } : work)
  const settings = toTokenSourceSettings(options, withConfig(settingsFromEnvironment(), config))
  return { plan: { settings, outputs, listen }, logFormat: options.log ?? config.log ?? 'text' }
}

function withConfig(
  environment: Partial<TokenSourceSettings>,
  { broker, proof = {} }: AgentConfig,
): Partial<TokenSourceSettings> {
  const { subject_token_type: subjectTokenType, ...plain } = proof
  const own: ProofSettings = subjectTokenType === undefined ? plain : { ...plain, subjectTokenType }
  return {
    ...environment,
    ...(broker === undefined ? {} : { broker }),
    proof: { ...environment.proof, ...own },
  }
}

/** An audience may have an equals sign in it, being a URL; a file hardly ever has. */
function toOutput(text: string, { mode, format }: AgentOptions): OutputConfig {
  const at = text.lastIndexOf('=')
  if (at < 1 || at === text.length - 1) throw new UsageError(`--output: "${text}" is not AUDIENCE=FILE`)
  const bits = mode === undefined ? PRIVATE_MODE : parseMode(mode)
  if (bits === undefined) throw new UsageError(`--mode: ${MODE_ADVICE}`)
  return { audience: text.slice(0, at), file: resolve(text.slice(at + 1)), mode: bits, format }
}

function tell(error: unknown): string {
  if (error instanceof TokenSourceError) return sentenceOf(error)
  if (error instanceof SettingsError || error instanceof UsageError) return error.message
  return error instanceof Error ? error.name : 'unknown'
}
