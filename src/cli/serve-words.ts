/** The words of `chancery serve`. */

import { type Command, Option } from 'commander'
import { SERVE_SETTINGS, variableOf } from '../config-settings.ts'
import type { Terminal } from './exit.ts'
import { toFlags } from './flags.ts'

/** Adds `serve`, with every setting of a broker as an option. */
export function addServe(program: Command, terminal: Terminal, result: { code: number }): void {
  const serve = program.command('serve').description('run the broker until it is told to stop (SIGTERM, SIGINT)')
  for (const { flag, value, help, default: fallback, isRepeatable } of SERVE_SETTINGS) {
    const about = `${help}${fallback === undefined ? '' : ` (default ${fallback})`} [${variableOf(flag)}]`
    const option = new Option(`--${flag} <${value}>`, about)
    serve.addOption(isRepeatable === true ? option.argParser(gather) : option)
  }
  serve.addHelpText('after', SERVE_HELP)
  serve.action(async (options: Record<string, string | readonly string[]>) => {
    const { runServe } = await import('./serve-command.ts')
    result.code = await runServe(toFlags(options), terminal)
  })
}

/** Commander gives undefined for the first of a repeatable option. */
function gather(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text]
}

const SERVE_HELP = `
Signing keys are encrypted with CHANCERY_KEY_ENCRYPTION_KEY, or the file that CHANCERY_KEY_ENCRYPTION_KEY_FILE names:
base64 of 32 random bytes, as "openssl rand -base64 32" gives. It is required unless listening on loopback
with a store on this machine. The password of a PostgreSQL store may be in the file that CHANCERY_STORE_PASSWORD_FILE names.

Examples:
  chancery serve --issuer http://127.0.0.1:8080 --federation federation.json
  chancery serve --issuer https://broker.corp.example --federation /etc/chancery --listen 0.0.0.0:8443 \\
    --tls-cert /etc/tls/tls.crt --tls-key /etc/tls/tls.key --store postgres://chancery@db.corp.example/chancery

Exit codes: 0 it was told to stop, and has finished what was under way; 2 wrong usage or configuration, or no document to serve with.`
