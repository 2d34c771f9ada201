/** A cluster, a real broker on the address that it is known by, and token sources of the pod in that cluster. */

import { createTokenSource, type TokenSource, type TokenSourceSettings } from '../../src/client/client.ts'
import { TokenSourceError } from '../../src/client/token-source-error.ts'
import { findFreePort } from './process.ts'
import { openScene, type Scene, type SceneOptions } from './scene.ts'

export interface ClientScene extends Scene {
  readonly issuer: string
  /** A source of the pod, whose file always holds a new proof. Its clocks are the scene's, and it waits for nothing. */
  source(settings?: Partial<TokenSourceSettings>): TokenSource
  /** How often the broker was asked, by its own records. */
  exchanges(): number
  /** How long the sources have wanted to wait, in seconds. */
  readonly waits: readonly number[]
}

export async function openClientScene(options: SceneOptions = {}): Promise<ClientScene> {
  const port = await findFreePort()
  const issuer = `http://127.0.0.1:${port}`
  const scene = await openScene({
    ...options,
    broker: { flags: { issuer, listen: `127.0.0.1:${port}` }, ...options.broker },
  })
  const waits: number[] = []
  return {
    ...scene,
    issuer,
    waits,
    exchanges: () => scene.broker.records().length,
    source: (settings = {}) =>
      createTokenSource({
        broker: issuer,
        audience: 'ledger',
        proof: { file: '/pod/token' },
        environment: {},
        now: scene.clock.now,
        elapsed: scene.clock.now,
        random: () => 0.5,
        readFile: async () => `${await scene.proof()}\n`,
        wait: async (seconds) => {
          waits.push(seconds)
          scene.clock.advance(Math.ceil(seconds))
        },
        ...settings,
      }),
  }
}

/** Gives the {@link TokenSourceError} that a promise is rejected with. Throws where it is fulfilled, or rejected with anything else. */
export async function sourceError(promise: Promise<unknown>): Promise<TokenSourceError> {
  const outcome: unknown = await promise.catch((error: unknown) => error)
  if (outcome instanceof TokenSourceError) return outcome
  throw new Error(`not a TokenSourceError: ${String(outcome)}`, { cause: outcome })
}
