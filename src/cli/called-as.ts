/** The helpers that programs call by a name of their own: links to the one command. */

import { basename } from 'node:path'

const HELPERS: ReadonlyMap<string, string> = new Map([
  ['docker-credential-chancery', 'docker'],
  ['git-credential-chancery', 'git'],
  ['terraform-credentials-chancery', 'terraform'],
])

/** Gives the arguments of a process, with `credential NAME` before them where it was called as that consumer's helper. */
export function argumentsOf([, script = '', ...args]: readonly string[]): readonly string[] {
  const helper = HELPERS.get(basename(script))
  return helper === undefined ? args : ['credential', helper, ...args]
}
