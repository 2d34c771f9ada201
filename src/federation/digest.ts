/** By what name tokens and records call the documents that they were decided by. */

import { createHash } from 'node:crypto'

/** Gives `sha256:` and the SHA-256 of a text in hex, as Terraform's `sha256()` gives it. */
export function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`
}

/**
 * Gives the digest of a federation: of the platform document alone its own, so that Terraform's is ours. With team documents, that of
 * one line for each, the platform's digest first and then `NAME DIGEST` by the delegations' names in order of their bytes. Neither
 * the files' names nor their order matter.
 */
export function digestOfSeveral(platform: string, teams: ReadonlyMap<string, string>): string {
  if (teams.size === 0) return platform
  const lines = [...teams].map(([delegation, digest]) => `${delegation} ${digest}`).sort()
  return digestOf([platform, ...lines].map((line) => `${line}\n`).join(''))
}
