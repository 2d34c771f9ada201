/** Modules and examples, in a directory of the test's own: what Terraform leaves beside them is never left in the tree. */

import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeScratch } from './scratch.ts'

const INFRA = new URL('../../infra', import.meta.url).pathname

export interface TerraformResult {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Copies `infra/` for the running test, and gives the path of the copy. */
export function copyInfra(): string {
  const directory = join(makeScratch(), 'infra')
  cpSync(INFRA, directory, { recursive: true })
  return directory
}

/** Runs Terraform in a directory, without the machine's own settings and without asking anybody for a newer one. */
export function runTerraform(directory: string, ...args: readonly string[]): TerraformResult {
  const env = { ...process.env, TF_CLI_CONFIG_FILE: '/dev/null', TF_IN_AUTOMATION: '1', CHECKPOINT_DISABLE: '1' }
  const { status, stdout, stderr } = spawnSync('terraform', args, { cwd: directory, env, encoding: 'utf8' })
  return { code: status, out: stdout, err: stderr }
}

/** Applies a configuration of no provider and gives its outputs. Throws what Terraform says where it does not. */
export function applyTerraform(directory: string): Readonly<Record<string, unknown>> {
  for (const args of [['init'], ['apply', '-auto-approve']]) {
    const { code, err, out } = runTerraform(directory, ...args, '-no-color')
    if (code !== 0) throw new Error(out + err)
  }
  const outputs = JSON.parse(runTerraform(directory, 'output', '-json').out) as Record<string, { value: unknown }>
  return Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value]))
}

/** Applies one module of `infra/modules` with these inputs, as somebody's configuration would, and gives its outputs. */
export function applyModule(module: string, inputs: object): Readonly<Record<string, unknown>> {
  const infra = copyInfra()
  const root = join(infra, 'of-a-team')
  mkdirSync(root)
  const source = { source: `../modules/${module}`, ...inputs }
  const configuration = { module: { it: source }, output: { it: { value: `\${module.it}` } } }
  writeFileSync(join(root, 'main.tf.json'), JSON.stringify(configuration))
  return applyTerraform(root).it as Readonly<Record<string, unknown>>
}

/** What `terraform test` found in a directory. */
export interface TestSummary {
  readonly passed: number
  /** The runs that did not pass, and what was said of them. */
  readonly complaints: readonly string[]
}

/** Runs the tests of a directory of no provider. */
export function testTerraform(directory: string): TestSummary {
  const ready = runTerraform(directory, 'init', '-no-color')
  if (ready.code !== 0) return { passed: 0, complaints: [ready.out + ready.err] }
  const events = runTerraform(directory, 'test', '-json')
    .out.split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as TestEvent)
  const summary = events.find(({ test_summary }) => test_summary !== undefined)?.test_summary
  const complaints = events.flatMap(({ diagnostic }) =>
    diagnostic === undefined || diagnostic.severity !== 'error' ? [] : [`${diagnostic.summary}: ${diagnostic.detail}`],
  )
  return { passed: summary?.passed ?? 0, complaints: summary?.status === 'pass' ? [] : ['did not pass', ...complaints] }
}

interface TestEvent {
  readonly test_summary?: { readonly status: string; readonly passed: number }
  readonly diagnostic?: { readonly severity: string; readonly summary: string; readonly detail: string }
}
