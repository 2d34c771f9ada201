/** Runs `chancery keys` over a store, with a clock of the test's. */

import { type KeysAct, type KeysOptions, runKeys } from '../../src/cli/keys.ts'
import type { KeyAccount } from '../../src/cli/keys-text.ts'
import type { Vault } from './vault.ts'

export interface RanKeys {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface KeysCommand {
  run(act: KeysAct, options?: KeysOptions): Promise<RanKeys>
  /** What `list --json` says. */
  list(): Promise<readonly KeyAccount[]>
}

export function keysCommand(vault: Pick<Vault, 'path'>, now: () => number, keys: readonly Uint8Array[]): KeysCommand {
  const variable = keys.map((key) => Buffer.from(key).toString('base64')).join(',')
  const env = variable === '' ? {} : { CHANCERY_KEY_ENCRYPTION_KEY: variable }
  const run: KeysCommand['run'] = async (act, options = {}) => {
    const written = { out: '', err: '' }
    const terminal = {
      out: (text: string) => {
        written.out += text
      },
      err: (text: string) => {
        written.err += text
      },
    }
    const code = await runKeys(act, { store: `sqlite:${vault.path}` }, options, terminal, { now, env })
    return { code, ...written }
  }
  return {
    run,
    list: async () => JSON.parse((await run('list', { isJson: true })).out) as readonly KeyAccount[],
  }
}
