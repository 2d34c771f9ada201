/** What a shell is told of a command. */

export interface CompletionWord {
  readonly word: string
  readonly about: string
}

export interface CompletionOption {
  /** Such as `-V` and `--version`. */
  readonly words: readonly string[]
  readonly about: string
  readonly takesValue: boolean
  /** The values that it takes, where they are few; otherwise a file may be meant. */
  readonly choices: readonly string[]
}

/** A command, and what may come next. */
export interface CompletionPlace {
  /** The words that lead to it; empty for the program itself. */
  readonly path: string
  readonly commands: readonly CompletionWord[]
  readonly options: readonly CompletionOption[]
  /** What its first argument may be, where that is one of a few words. */
  readonly values: readonly CompletionWord[]
}

/** Quotes a text for a shell. The three of them agree on this form. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

/** Gives everything that may come next at a place. */
export function nextWords({ commands, options, values }: CompletionPlace): readonly CompletionWord[] {
  return [...commands, ...values, ...options.flatMap(({ words, about }) => words.map((word) => ({ word, about })))]
}

/** Gives shell patterns of `path word` pairs: those where a word leads on to a command. */
export function stepPatterns(places: readonly CompletionPlace[]): string {
  const steps = places.flatMap(({ path, commands }) => commands.map(({ word }) => quote(`${path} ${word}`)))
  return steps.join(' | ')
}

/** Gives the lines of a `case` on `path option`: what follows an option that takes a value. */
export function valueCases(
  places: readonly CompletionPlace[],
  offer: (choices: readonly string[]) => string,
): readonly string[] {
  return places.flatMap(({ path, options }) =>
    options
      .filter(({ takesValue }) => takesValue)
      .map(({ words, choices }) => {
        const patterns = words.map((word) => quote(`${path} ${word}`)).join(' | ')
        return `    ${patterns}) ${offer(choices)}; return ;;`
      }),
  )
}
