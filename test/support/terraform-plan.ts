/** Plans of one module, as somebody's configuration would make them, each with inputs of its own. */

import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runTerraform } from './terraform-copy.ts'

/** What a plan said. */
export interface Plan {
  readonly errors: readonly string[]
  readonly warnings: readonly string[]
}

export interface Planner {
  plan(inputs: object): Promise<Plan>
  close(): void
}

const MODULES = new URL('../../infra/modules', import.meta.url).pathname

/** Copies the modules and makes one of them ready, once for many plans; or a configuration that uses them, from a folder beside them. */
export function createPlanner(module: string, configuration?: object): Planner {
  const directory = mkdtempSync(join(tmpdir(), 'chancery-plan-'))
  cpSync(MODULES, directory, { recursive: true })
  const root = join(directory, module)
  mkdirSync(root, { recursive: true })
  if (configuration !== undefined) writeFileSync(join(root, 'main.tf.json'), JSON.stringify(configuration))
  const ready = runTerraform(root, 'init', '-no-color')
  if (ready.code !== 0) throw new Error(ready.out + ready.err)
  let count = 0
  return {
    async plan(inputs) {
      const file = join(directory, `inputs-${count++}.tfvars.json`)
      writeFileSync(file, JSON.stringify(inputs))
      const text = await runPlan(root, ['plan', '-json', '-input=false', '-lock=false', `-var-file=${file}`])
      const events = text
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as PlanEvent)
      const told = (severity: string): readonly string[] =>
        events.flatMap(({ diagnostic }) =>
          diagnostic?.severity === severity ? [`${diagnostic.summary}: ${diagnostic.detail}`] : [],
        )
      return { errors: told('error'), warnings: told('warning') }
    },
    close: () => rmSync(directory, { recursive: true }),
  }
}

interface PlanEvent {
  readonly diagnostic?: { readonly severity: string; readonly summary: string; readonly detail: string }
}

function runPlan(cwd: string, args: readonly string[]): Promise<string> {
  const env = {
    ...process.env,
    TF_CLI_CONFIG_FILE: '/dev/null',
    TF_IN_AUTOMATION: '1',
    CHECKPOINT_DISABLE: '1',
    GOGC: '400',
  }
  return new Promise((resolve) => {
    execFile('terraform', args, { cwd, env, maxBuffer: 64 * 1024 * 1024 }, (_error, stdout) => resolve(stdout))
  })
}

/** Gives the codes that stand in brackets at the ends of what was said, each once. */
export function codesIn(messages: readonly string[]): readonly string[] {
  return [
    ...new Set(messages.flatMap((message) => [...message.matchAll(/\[([a-z_]+)\]$/gm)].map(([, code]) => code ?? ''))),
  ]
}
