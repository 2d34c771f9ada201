/** Where a program finds its token: in a variable, or in a file that a variable names. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { ServiceToken } from '../../client/client.ts'
import { writeAtomically } from '../delivery/atomic-file.ts'

/** Where the token is put, and how the program learns of it. */
export interface TokenPlace {
  /** Puts a token there. */
  put(token: ServiceToken): Promise<void>
  /** What the program's environment has on top of ours. */
  variables(): Readonly<Record<string, string>>
  /** Takes away what was made for this one run. A file that the caller named stays. */
  clear(): Promise<void>
}

/** A variable holds a token for as long as the program runs: nobody can change another's environment. */
export function placeInVariable(name: string): TokenPlace {
  let value = ''
  return {
    async put(token) {
      value = token.accessToken
    },
    variables: () => ({ [name]: value }),
    async clear() {
      value = ''
    },
  }
}

/** A file of the caller's, or one in a directory that nobody else can look into. The variable has its path. */
export function placeInFile(name: string, chosen: string | undefined): TokenPlace {
  let made: string | undefined
  let path = chosen === undefined ? undefined : resolve(chosen)
  return {
    async put(token) {
      if (path === undefined) {
        made = await mkdtemp(join(tmpdir(), 'chancery-exec-'))
        path = join(made, 'token')
      }
      await writeAtomically(path, token.accessToken)
    },
    variables: () => (path === undefined ? {} : { [name]: path }),
    async clear() {
      if (made !== undefined) await rm(made, { recursive: true, force: true })
    },
  }
}
