/** Runs a workload on Azure to its end, in a process of its own and with the environment that it is given, alone. */

import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Outcome, Step } from './azure-sdk-process.ts'

const SCRIPT = fileURLToPath(new URL('azure-sdk-process.ts', import.meta.url))

/** Gives what became of each step. Throws what the process wrote where it broke down. */
export async function runAzureWorkload(
  env: Readonly<Record<string, string>>,
  steps: readonly Step[],
): Promise<readonly Outcome[]> {
  const child = spawn(process.execPath, [SCRIPT, JSON.stringify(steps)], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const texts = { out: '', err: '' }
  child.stdout.on('data', (chunk: Buffer) => {
    texts.out += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    texts.err += chunk.toString()
  })
  const code = await new Promise((resolve) => child.on('close', resolve))
  if (code !== 0) throw new Error(`the workload ended with ${String(code)}: ${texts.err}`)
  return JSON.parse(texts.out) as readonly Outcome[]
}

/** Gives what became of one step. */
export async function runAzureStep(env: Readonly<Record<string, string>>, step: Step): Promise<Outcome> {
  const [outcome] = await runAzureWorkload(env, [step])
  if (outcome === undefined) throw new Error('the workload did nothing')
  return outcome
}
