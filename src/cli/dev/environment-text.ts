/** An environment as a shell reads it. */

export type Variables = Readonly<Record<string, string | undefined>>

/**
 * Gives `export` lines, and one `unset` line for what must not be there. Values are quoted, so that no shell reads anything in them;
 * `node --env-file` reads the same text, and passes over `unset`.
 */
export function toShellLines(variables: Variables): string {
  const entries = Object.entries(variables)
  const unset = entries.flatMap(([name, value]) => (value === undefined ? [name] : []))
  const exported = entries.flatMap(([name, value]) => (value === undefined ? [] : [`export ${name}=${quote(value)}\n`]))
  return (unset.length === 0 ? '' : `unset ${unset.join(' ')}\n`) + exported.join('')
}

/** Quotes one word for a POSIX shell. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** Gives a command line that can be pasted: words that need it are quoted. */
export function toCommandLine(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : quote(word))).join(' ')
}
