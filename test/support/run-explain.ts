/** What `chancery explain` says of a document and of attributes. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runExplain } from '../../src/cli/explain.ts'
import type { Account } from '../../src/cli/explain-account.ts'

/** Exit code, and the account that was printed; undefined where there was none. */
export interface Explained {
  readonly code: number
  readonly account: Account | undefined
  readonly err: string
}

/** Explains attributes of the trusted issuer `cluster`, as the command does. */
export async function explainAttributes(
  document: object,
  attributes: Readonly<Record<string, string>>,
  trustedIssuer = 'cluster',
): Promise<Explained> {
  const directory = mkdtempSync(join(tmpdir(), 'chancery-explain-'))
  const federation = join(directory, 'federation.json')
  writeFileSync(federation, JSON.stringify(document))
  const written = { out: '', err: '' }
  const write = (to: keyof typeof written) => (text: string) => {
    written[to] += text
  }
  try {
    const options = { federation, insecureHost: [], json: true, trustedIssuer, attributes: JSON.stringify(attributes) }
    const code = await runExplain(options, { out: write('out'), err: write('err') })
    const account = written.out === '' ? undefined : (JSON.parse(written.out) as Account)
    return { code, account, err: written.err }
  } finally {
    rmSync(directory, { recursive: true })
  }
}
