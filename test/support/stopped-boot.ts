/** What stops `chancery serve` before it has done anything. */

import { expect } from 'vitest'
import { SettingsError } from '../../providers/contract/errors.ts'
import { type Environment, type Flags, readServeConfig } from '../../src/config.ts'

/** A setting's name, and what is said of it. */
export interface StoppedBy {
  readonly name: string
  readonly message: string
}

/** Gives what a boot with these flags and variables is stopped for; nothing where it can go on. */
export function stopsOf(flags: Flags, env: Environment = {}): readonly StoppedBy[] {
  try {
    readServeConfig(flags, env)
    return []
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    return error.problems.map(({ path, message }) => ({ name: path.join('/'), message }))
  }
}

/** Asserts that exactly these settings stop the boot, and that each names itself. */
export function expectStopped(names: readonly string[], flags: Flags, env: Environment = {}): void {
  const stops = stopsOf(flags, env)
  expect(stops.map(({ name }) => name)).toEqual(names)
  for (const { name, message } of stops) expect(message.startsWith(`${name}: `)).toBe(true)
}
