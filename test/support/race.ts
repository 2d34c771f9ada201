/** Lets processes of their own do one thing at the same moment. */

import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

/** What a racer waits for, having told that it is ready. */
export type RaceStart = 'go'

/** A process that has told that it is ready. */
export interface Racer {
  readonly child: ChildProcess
  /** Lets it begin, and gives what it then tells. */
  readonly go: () => Promise<unknown>
}

/** Starts a script with a store's locator and a name, and waits until it is ready. It is killed when the test has finished. */
export async function startRacer(script: string, locator: string, name: string): Promise<Racer> {
  const child = fork(fileURLToPath(new URL(script, import.meta.url)), [locator, name], { execArgv: [] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const ended = new Promise<never>((_resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code) => reject(new Error(`the process ${name} ended with ${code}`)))
  })
  ended.catch(() => undefined)
  const next = () => Promise.race([new Promise<unknown>((resolve) => child.once('message', resolve)), ended])
  await next()
  return {
    child,
    go: () => {
      const told = next()
      const start: RaceStart = 'go'
      child.send(start)
      return told
    },
  }
}

/** Starts a process for each name, and when all are ready lets them begin at once. Gives what each tells. */
export async function race(script: string, locator: string, names: readonly string[]): Promise<readonly unknown[]> {
  const racers = await Promise.all(names.map((name) => startRacer(script, locator, name)))
  return await Promise.all(racers.map(({ go }) => go()))
}
