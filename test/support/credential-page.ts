/** The snippets of `src/cli/credential/README.md`, which tests hand to the consumers as they are written there. */

import { readFileSync } from 'node:fs'

const PAGE = readFileSync(new URL('../../src/cli/credential/README.md', import.meta.url), 'utf8')

/**
 * Gives the first snippet of a language in a section, with each name of the page replaced. Throws where there is none, or where a
 * name is not in it: then it would be another snippet than the test takes it for.
 */
export function snippetOf(section: string, language: string, replaced: Readonly<Record<string, string>>): string {
  const body = PAGE.split(/^## /m).find((part) => part.startsWith(`${section}\n`)) ?? ''
  const [, snippet] = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'ms').exec(body) ?? []
  if (snippet === undefined) throw new Error(`there is no ${language} under ${section}`)
  return Object.entries(replaced).reduce((text, [name, value]) => {
    if (!text.includes(name)) throw new Error(`${name} is not in the snippet`)
    return text.replaceAll(name, value)
  }, snippet)
}
