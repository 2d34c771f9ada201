import { type CompletionPlace, nextWords, quote, stepPatterns, valueCases } from './completion-place.ts'

/** Gives bash's script. Where nothing is offered, bash offers files: the values of most options, and what follows `--`. */
export function bashScript(places: readonly CompletionPlace[]): string {
  const offer = (words: readonly string[]): string =>
    words.length === 0 ? ':' : `COMPREPLY=($(compgen -W ${quote(words.join(' '))} -- "$current"))`
  const nexts = places.map((place) => `    ${quote(place.path)}) ${offer(nextWords(place).map(({ word }) => word))} ;;`)
  return `# chancery completion bash: source <(chancery completion bash)
_chancery() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} path='' at
  COMPREPLY=()
  if [[ $current == = ]]; then current=''; elif [[ $before == = ]]; then before=\${COMP_WORDS[COMP_CWORD-2]}; fi
  for ((at = 1; at < COMP_CWORD; at++)); do
    if [[ \${COMP_WORDS[at]} == -- ]]; then return; fi
    case "$path \${COMP_WORDS[at]}" in
    ${stepPatterns(places)}) path="\${path:+$path }\${COMP_WORDS[at]}" ;;
    esac
  done
  case "$path $before" in
${valueCases(places, offer).join('\n')}
  esac
  case "$path" in
${nexts.join('\n')}
  esac
}
complete -o default -F _chancery chancery
`
}
