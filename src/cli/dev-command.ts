/** The words of `chancery dev`. */

import { type Command, Option } from 'commander'
import type { DevOptions } from './dev.ts'
import { type Terminal, UsageError } from './exit.ts'

/** The broker's port, and the last one that leaves room for the clouds' after it. */
const DEFAULT_PORT = 8_080
const LAST_PORT = 65_500

const DEV_HELP = `
Everything listens on 127.0.0.1 alone. What stands in the directory is never written over: leave your document there,
and it is good for the next start on the same port.

Examples, the second one in another terminal:
  chancery dev --directory ./dev
  . ./dev/run/environment && chancery token --provider gcp

Exit codes: 0 it was told to stop; 2 wrong usage, a port that is taken, or a document that cannot be used.`

/** Adds `dev`. */
export function addDev(program: Command, terminal: Terminal, result: { code: number }): void {
  program
    .command('dev')
    .description('run a broker and a stand-in for each cloud on this machine, and watch what is decided')
    .addOption(
      new Option(
        '--port <PORT>',
        'where the broker takes requests; the clouds take the ports after it; 0 takes what is free',
      )
        .argParser(parsePort)
        .default(DEFAULT_PORT),
    )
    .option('--directory <DIR>', 'where federation.json is, or will be; by default a temporary one')
    // Not --env-file: Node takes that for its own, wherever it stands, and stops where there is no such file.
    .option('--environment <FILE>', 'write the environment to this file, not to run/environment of the directory')
    .addHelpText('after', DEV_HELP)
    .action(async (options: DevOptions) => {
      const { runDev } = await import('./dev.ts')
      result.code = await runDev(options, terminal)
    })
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (!(port <= LAST_PORT)) throw new UsageError(`--port: "${text}" is not a number up to ${LAST_PORT}`)
  return port
}
