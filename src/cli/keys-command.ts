/** The words of `chancery keys`. */

import { type Command, Option } from 'commander'
import { SERVE_SETTINGS, variableOf } from '../config-settings.ts'
import { SIGNING_ALGORITHMS } from '../tokens/signing-key.ts'
import type { Terminal } from './exit.ts'
import { toFlags } from './flags.ts'
import type { KeysAct, KeysOptions } from './keys.ts'

const KEYS_HELP = `
A key is published, signs, and is retired:

  next      public, and does not sign yet: verifiers that keep key sets get to know it, for a day at least
  current   signs
  retired   signs no more, and stays public until the last token that it signed has expired

A broker takes these steps by itself, every --key-rotation-days. These commands work on its store, while it runs or not;
every broker on the store follows within five seconds. Keys that are encrypted need CHANCERY_KEY_ENCRYPTION_KEY, as for serve.`

const LIST_HELP = `
Examples:
  chancery keys list
  chancery keys list --store postgres://chancery@db.corp.example/chancery --json`

const KEYS_EXIT_HELP = `
Exit codes: 0 done; 1 refused; 2 wrong usage or configuration; 3 not yet, try again at the time that is told.`

const REVOKE_HELP = `
For a key that somebody else may have. It is gone from every broker within five seconds. When it was the current one, the next
one signs in its place, or a new one where there is none, though verifiers may not know it yet.

Verifiers take what the key signed until they look at the key set again. Those made by chancery/verify do within a minute, or within
an hour while they cannot reach the broker. Others keep it as long as their own cache does: five minutes where they keep to its
max-age, a day or more where they do not. Restart those that cannot wait.

Example:
  chancery keys revoke 5ghJ5bcEAWK5sBMtGbJMiOXhyU3kRVEPCVtcbTQ9cJ8`

const ROTATE_HELP = `
Examples:
  chancery keys rotate
  chancery keys rotate --algorithm ES256`

const REENCRYPT_HELP = `
To change the key-encryption key: give every broker the new one in front of the old one, behind a comma, and restart them; run this
command with both, too; take the old one away, and restart them again.

Example:
  CHANCERY_KEY_ENCRYPTION_KEY="$(cat new.key),$(cat old.key)" chancery keys reencrypt`

/** Adds `keys list`, `rotate`, `revoke` and `reencrypt`. */
export function addKeys(program: Command, terminal: Terminal, result: { code: number }): void {
  const keys = program.command('keys').description('look at the signing keys of a store, rotate or revoke them')
  keys.addHelpText('after', KEYS_HELP).addHelpText('afterAll', KEYS_EXIT_HELP)
  const run = async (
    act: KeysAct,
    options: Readonly<Record<string, string | boolean>>,
    keyId?: string,
  ): Promise<void> => {
    const { runKeys } = await import('./keys.ts')
    const { json, algorithm, ...flags } = options
    const chosen: KeysOptions = {
      keyId,
      isJson: json === true,
      algorithm: SIGNING_ALGORITHMS.find((each) => each === algorithm),
    }
    result.code = await runKeys(act, toFlags(flags as Record<string, string>), chosen, terminal)
  }
  addSettings(
    keys.command('list').description('say which keys there are, how old, and what happens to each next and when'),
  )
    .option('--json', 'print them as JSON')
    .addHelpText('after', LIST_HELP)
    .action((options: Record<string, string | boolean>) => run('list', options))
  addSettings(
    keys.command('rotate').description('let the next key of each algorithm sign now: exit 3 if it is too early'),
  )
    .addOption(new Option('--algorithm <ALGORITHM>', 'of this one alone').choices(SIGNING_ALGORITHMS))
    .addHelpText('after', ROTATE_HELP)
    .action((options: Record<string, string | boolean>) => run('rotate', options))
  addSettings(keys.command('revoke').description('take a key out of use at once'))
    // An id may begin with a dash, and look like an option.
    .allowUnknownOption()
    .argument('<KID>', 'its id, as list gives it')
    .addHelpText('after', REVOKE_HELP)
    .action((keyId: string, options: Record<string, string | boolean>) => run('revoke', options, keyId))
  addSettings(keys.command('reencrypt').description('encrypt the keys anew, under the first key-encryption key'))
    .addHelpText('after', REENCRYPT_HELP)
    .action((options: Record<string, string | boolean>) => run('reencrypt', options))
}

/** The settings that these commands share with serve. */
function addSettings(command: Command): Command {
  for (const { flag, value, help, default: fallback } of SERVE_SETTINGS) {
    if (flag !== 'store' && flag !== 'key-rotation-days') continue
    command.option(`--${flag} <${value}>`, `${help}, as for serve (default ${fallback}) [${variableOf(flag)}]`)
  }
  return command
}
