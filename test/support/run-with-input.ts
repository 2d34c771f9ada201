/** Runs a program to its end, and keeps what it says. */

import { spawn } from 'node:child_process'
import type { Finished } from './process.ts'

export interface RunOptions {
  readonly input?: string
  /** This process's by default. */
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

export function runWithInput(
  [command = '', ...args]: readonly string[],
  { input = '', env, cwd }: RunOptions = {},
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: env ?? process.env, cwd })
    const texts = { out: '', err: '' }
    child.stdout.on('data', (chunk: Buffer) => {
      texts.out += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      texts.err += chunk.toString()
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, ...texts }))
    // A program that reads nothing of what it is told is not wrong.
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
  })
}
