/** What a helper tells the program that started it. */

import { SettingsError } from '../../../providers/contract/errors.ts'
import type { ServiceToken } from '../../client/client.ts'

/** How a command ends, by the names of its exit codes. */
export type Ending = 'done' | 'refused' | 'wrong' | 'later'

export interface HelperAnswer {
  readonly ending: Ending
  /** For the program. Holds a secret wherever the program wants one. */
  readonly out?: string
  /** For people. Never holds one. */
  readonly err?: string
}

/** Why there is no token. */
export interface Failure {
  /** What happened and what to do. */
  readonly message: string
  /** For programs: a code of the token source, or of whoever else refused. */
  readonly code: string
  readonly ending: Ending
}

export type Outcome<T> = { readonly got: T } | { readonly failure: Failure }

/** Gets a token for an audience; undefined stands for the one that the settings name. */
export type ObtainToken = (audience: string | undefined) => Promise<Outcome<ServiceToken>>

/** Tells people why there is no token. */
export function failed({ message, ending }: Failure, out?: string): HelperAnswer {
  return { ending, err: `chancery: ${message}\n`, ...(out === undefined ? {} : { out }) }
}

/** Gives the error of a helper that is set up wrong, or called as no program calls it. */
export function wrongly(consumer: string, message: string): SettingsError {
  return new SettingsError([
    { path: ['credential', consumer], code: 'helper_setup', message: `${consumer}: ${message}` },
  ])
}
