import { type CompletionOption, type CompletionPlace, quote } from './completion-place.ts'

/** Gives fish's script. */
export function fishScript(places: readonly CompletionPlace[]): string {
  const steps = places.flatMap(({ path, commands }) => commands.map(({ word }) => fishQuote(`${path} ${word}`)))
  return `# chancery completion fish | source
function __chancery_at
  set -l place ''
  for word in (commandline -opc)[2..]
    if contains -- "$place $word" ${steps.join(' ')}
      set place (string trim -- "$place $word")
    end
  end
  test "$place" = "$argv[1]"
end
${places.flatMap(linesOf).join('\n')}
`
}

function linesOf({ path, commands, values, options }: CompletionPlace): readonly string[] {
  const start = `complete -c chancery -n ${quote(`__chancery_at ${quote(path)}`).replaceAll("'\\''", '"')}`
  return [
    ...[...commands, ...values].map(({ word, about }) => `${start} -f -a ${fishQuote(word)} -d ${fishQuote(about)}`),
    ...options.map((option) => `${start} ${flagsOf(option)} -d ${fishQuote(option.about)}`),
  ]
}

function flagsOf({ words, takesValue, choices }: CompletionOption): string {
  const names = words.map((word) => (word.startsWith('--') ? `-l ${word.slice(2)}` : `-s ${word.slice(1)}`))
  const value = choices.length === 0 ? ['-r'] : ['-x', '-a', fishQuote(choices.join(' '))]
  return [...names, ...(takesValue ? value : ['-f'])].join(' ')
}

/** Within its single quotes fish takes a backslash before a quote or a backslash. */
function fishQuote(text: string): string {
  return `'${text.replaceAll(/['\\]/g, '\\$&')}'`
}
