/** A broker that says all it can, with a key-encryption key, and everything that it writes in one place. */

import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startBroker } from '../../src/cli/serve.ts'
import { systemResolver } from '../../src/cli/world.ts'
import { readServeConfig } from '../../src/config.ts'
import { createLog } from '../../src/log.ts'
import type { TestClock } from './clock.ts'
import { BROKER } from './document.ts'

export interface LoudBrokerOptions {
  readonly clock: TestClock
  readonly document: object
  readonly insecureHosts: readonly string[]
  /** Files below `--secrets-dir`, by name. */
  readonly secrets?: Readonly<Record<string, string>>
}

export interface LoudBroker {
  readonly origin: string
  /** Where its metrics are, and nothing else. */
  readonly metricsOrigin: string
  readonly storePath: string
  readonly keyEncryptionKey: Buffer
  /** Everything that it has written so far, its store apart. */
  texts(): Promise<{ readonly log: string; readonly audit: string; readonly metrics: string }>
  /** The bytes of its store's files. */
  storeBytes(): Buffer
  stop(): Promise<void>
}

/** Starts a broker that logs at the lowest level. */
export async function startLoudBroker(options: LoudBrokerOptions): Promise<LoudBroker> {
  const directory = mkdtempSync(join(tmpdir(), 'chancery-loud-'))
  const fileOf = (name: string): string => join(directory, name)
  const keyEncryptionKey = randomBytes(32)
  const written: string[] = []
  const log = createLog({ write: (line) => void written.push(line) })
  log.level = 'trace'
  writeFileSync(fileOf('federation.json'), JSON.stringify(options.document))
  for (const [name, text] of Object.entries(options.secrets ?? {})) writeFileSync(fileOf(name), text)
  const flags = {
    issuer: BROKER,
    federation: fileOf('federation.json'),
    listen: '127.0.0.1:0',
    'metrics-listen': '127.0.0.1:0',
    store: `sqlite:${fileOf('store.db')}`,
    audit: `file:${fileOf('audit.jsonl')}`,
    'secrets-dir': directory,
    'insecure-host': options.insecureHosts,
  }
  const env = { CHANCERY_KEY_ENCRYPTION_KEY: keyEncryptionKey.toString('base64') }
  const running = await startBroker(readServeConfig(flags, env), {
    log,
    now: options.clock.now,
    elapsed: options.clock.now,
    resolve: systemResolver,
  })
  const metricsOrigin = `http://127.0.0.1:${running.metricsAddress?.port}`
  return {
    origin: `http://127.0.0.1:${running.address.port}`,
    metricsOrigin,
    storePath: fileOf('store.db'),
    keyEncryptionKey,
    texts: async () => ({
      log: written.join(''),
      audit: readFileSync(fileOf('audit.jsonl'), 'utf8'),
      metrics: await (await fetch(`${metricsOrigin}/metrics`)).text(),
    }),
    storeBytes() {
      const names = readdirSync(directory).filter((name) => name.startsWith('store.db'))
      return Buffer.concat(names.map((name) => readFileSync(fileOf(name))))
    },
    async stop() {
      await running.stop()
      rmSync(directory, { recursive: true })
    },
  }
}
