/** Runs `chancery` as it was built, on a machine that has nothing else: no PATH, no packages, another directory. */

import { type ChildProcess, spawn } from 'node:child_process'

export interface BuiltCommand {
  /** Runs it to its end. */
  run(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ended>
  /** Starts it and leaves it running. */
  start(args: readonly string[]): Started
}

export interface Started {
  readonly child: ChildProcess
  /** What it has written so far. */
  readonly out: () => string
  readonly err: () => string
  readonly ended: Promise<Ended>
}

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Gives a way to run a program with its first arguments, in a directory. */
export function commandIn(directory: string, program: string, ...first: readonly string[]): BuiltCommand {
  const start = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Started => {
    const child = spawn(program, [...first, ...args], { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'] })
    const texts = { out: '', err: '' }
    child.stdout.on('data', (chunk: Buffer) => {
      texts.out += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      texts.err += chunk.toString()
    })
    const ended = new Promise<Ended>((resolve) => child.on('close', (code) => resolve({ code, ...texts })))
    return { child, out: () => texts.out, err: () => texts.err, ended }
  }
  return { run: (args, env) => start(args, env).ended, start }
}

/** Reads the variables of a file that `chancery dev` wrote. */
export function parseExports(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...text.matchAll(/^export (\w+)='(.*)'$/gm)].map(([, name = '', value = '']) => [name, value]),
  )
}
