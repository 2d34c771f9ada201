/**
 * Runs the end-to-end tests once more, with every `chancery` process of theirs under Bun. The tests themselves stay on Node, and so
 * do suites that start a broker inside of them.
 */

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ROOT = new URL('../../', import.meta.url)
const BUN = fileURLToPath(
  new URL(`node_modules/@oven/bun-linux-${process.arch === 'arm64' ? 'aarch64' : 'x64'}/bin/bun`, ROOT),
)
const SUITES = [
  ...['agent', 'dev', 'exec', 'keys', 'mapping-page', 'serve', 'token', 'verify-command'].map(
    (name) => `test/e2e/${name}.test`,
  ),
  'test/attacks/replay-restarts.test',
]

if (existsSync(BUN)) {
  const vitest = fileURLToPath(new URL('node_modules/vitest/vitest.mjs', ROOT))
  const args = [vitest, 'run', '--config', 'test/vitest.config.ts', ...SUITES, ...process.argv.slice(2)]
  const env = { ...process.env, TEST_RUNTIME: BUN }
  process.exitCode = spawnSync(process.execPath, args, { cwd: ROOT, env, stdio: 'inherit' }).status ?? 1
} else {
  process.stdout.write('SKIP end-to-end tests under Bun: there is no Bun package for this machine\n')
}
