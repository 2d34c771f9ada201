/** A workload's machine: a broker behind a gate that can be shut, a proof in a file, and commands run as processes. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BROKER, documentFor } from './document.ts'
import { type Gate, startGate } from './gate.ts'
import { createLeakWatch } from './leaks.ts'
import { type Finished, type Running, startChancery } from './process.ts'
import { openScene, type Scene } from './scene.ts'

export interface CommandScene extends Scene {
  readonly directory: string
  readonly proofFile: string
  readonly gate: Gate
  /** What the workload's environment has. */
  readonly env: Readonly<Record<string, string>>
  /** Starts a command there. At the end, nothing that it has written to standard error may hold a proof or a token. */
  start(args: readonly string[], env?: Readonly<Record<string, string>>): Running
  run(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Finished>
  /** Says that something secret was handed out. */
  watch(secret: string): void
}

/** Time as everybody else's: processes have no other. */
const REAL_CLOCK = { now: () => Math.floor(Date.now() / 1_000), advance: () => undefined }

/** Opens it. Tokens live for so many seconds. */
export async function openCommandScene(options: { readonly lifeSeconds?: number } = {}): Promise<CommandScene> {
  const audiences = {
    ledger: { scopes: ['entries:read'], max_lifetime_seconds: options.lifeSeconds ?? 900 },
    orders: { max_lifetime_seconds: options.lifeSeconds ?? 900 },
  }
  const identities = { 'payments/api': { grants: { ledger: ['entries:read'], orders: [] } } }
  const scene = await openScene({
    document: (cluster) => documentFor(cluster.issuer, { audiences, identities }),
    broker: { clock: REAL_CLOCK },
  })
  const directory = mkdtempSync(join(tmpdir(), 'chancery-command-'))
  const proofFile = join(directory, 'proof')
  const proof = await scene.proof()
  writeFileSync(proofFile, `${proof}\n`)
  const gate = await startGate(Number(new URL(scene.broker.origin).port))
  const leaks = createLeakWatch()
  leaks.watch(proof)
  const env = {
    CHANCERY_BROKER: gate.origin,
    CHANCERY_AUDIENCE: 'ledger',
    CHANCERY_PROOF_FILE: proofFile,
    CHANCERY_PROOF_AUDIENCE: BROKER,
  }
  const started: Running[] = []
  const start: CommandScene['start'] = (args, more = {}) => {
    const running = startChancery(args, { ...env, ...more })
    started.push(running)
    return running
  }
  return {
    ...scene,
    directory,
    proofFile,
    gate,
    env,
    start,
    run: (args, more) => start(args, more).finished,
    watch: leaks.watch,
    async close() {
      for (const { child } of started) child.kill('SIGKILL')
      await gate.close()
      await scene.close()
      rmSync(directory, { recursive: true })
      leaks.check(Object.fromEntries(started.map(({ err }, at) => [`standard error of command ${at}`, err()])))
    },
  }
}

/** Gives what a token says. It is not verified. */
export function claimsOf(token: string): Readonly<Record<string, unknown>> {
  const [, payload = ''] = token.split('.')
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Readonly<Record<string, unknown>>
}

/** Waits until something is so, looking at it every few milliseconds. Throws the last failure when it has waited too long. */
export async function until<T>(look: () => T | Promise<T>): Promise<T> {
  const limit = Date.now() + 20_000
  for (;;) {
    try {
      return await look()
    } catch (error) {
      if (Date.now() > limit) throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}
