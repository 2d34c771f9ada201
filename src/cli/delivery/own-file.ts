import type { Stats } from 'node:fs'

/** Answers whether a file belongs to the user that we run as; always, where a system has no such users. */
export function isOwn({ uid }: Pick<Stats, 'uid'>): boolean {
  return process.getuid === undefined || uid === process.getuid()
}
