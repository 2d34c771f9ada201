import { type CompletionPlace, nextWords, quote, stepPatterns, valueCases } from './completion-place.ts'

/** Gives zsh's script, to be read, or to be a file `_chancery` of `fpath`. */
export function zshScript(places: readonly CompletionPlace[]): string {
  const offer = (words: readonly string[]): string =>
    words.length === 0 ? '_files' : `compadd -- ${words.map(quote).join(' ')}`
  const nexts = places.map((place) => {
    const described = nextWords(place).map(({ word, about }) => quote(`${word.replaceAll(':', '\\:')}:${about}`))
    return `    ${quote(place.path)}) described=(${described.join(' ')}) ;;`
  })
  return `#compdef chancery
# chancery completion zsh: source <(chancery completion zsh)
_chancery() {
  local place='' word
  local -a described
  for word in "\${(@)words[2,CURRENT-1]}"; do
    if [[ $word == -- ]]; then _files; return; fi
    case "$place $word" in
    ${stepPatterns(places)}) place="\${place:+$place }$word" ;;
    esac
  done
  case "$place \${words[CURRENT-1]}" in
${valueCases(places, offer).join('\n')}
  esac
  case "$place" in
${nexts.join('\n')}
  esac
  _describe chancery described || _files
}
if [[ $funcstack[1] == _chancery ]]; then _chancery "$@"; else compdef _chancery chancery; fi
`
}
