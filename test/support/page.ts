/** Reads a page that teaches by examples, so that each of them can be tried. */

/** A file that an example names, or a command with what it prints. */
export type Step =
  | { readonly kind: 'file'; readonly name: string; readonly text: string }
  | {
      readonly kind: 'command'
      readonly words: readonly string[]
      readonly code: number
      readonly shown: string | undefined
    }

const EXAMPLE =
  /<!-- (?<copy>\S+): (?<original>\S+) -->|(?:<!-- (?<note>[^>]*) -->\n)?```(?<language>\w*)\n(?<body>[\s\S]*?)```/g

/**
 * Gives a page's steps in order.
 *
 * A comment before a block names its file, as in `<!-- new.json -->`; `<!-- new.json: federation.json and -->` stands for that
 * document with these members put in their places, and null for those that go; `<!-- new.json: federation.json -->` alone is a copy.
 * A `text` block is what the command above it prints; `# exit 1` after a command is its exit code. Other blocks are no examples.
 */
export function readSteps(page: string): readonly Step[] {
  const steps: Step[] = []
  const files = new Map<string, string>()
  const addFile = (name: string, text: string): void => {
    files.set(name, text)
    steps.push({ kind: 'file', name, text })
  }
  for (const { groups } of page.matchAll(EXAMPLE)) {
    const { copy, original = '', note, language, body = '' } = groups ?? {}
    if (copy !== undefined) addFile(copy, mergeTexts(files.get(original), '{}'))
    else if (note !== undefined) {
      const [name = '', base] = note.split(/: | and$/)
      addFile(name, base === undefined ? body : mergeTexts(files.get(base), body))
    } else if (language === 'sh') steps.push(...readCommands(body))
    else if (language === 'text') {
      const last = steps.pop()
      if (last?.kind !== 'command') throw new Error(`nothing prints ${body}`)
      steps.push({ ...last, shown: body })
    }
  }
  return steps
}

/** Gives the commands of the recipe for continuous integration, in order. What becomes of their output is the recipe's affair. */
export function readRecipe(page: string): readonly Step[] {
  const [, recipe = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? []
  return readCommands([...recipe.matchAll(/npx chancery [^>\n]*/g)].map(([command]) => command).join('\n'))
}

function readCommands(body: string): readonly Step[] {
  return body
    .replaceAll('\\\n', ' ')
    .trim()
    .split('\n')
    .map((line) => {
      const [command = '', code = '0'] = line.split('# exit ')
      const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
      return { kind: 'command', words, code: Number(code), shown: undefined }
    })
}

function mergeTexts(base: string | undefined, patch: string): string {
  if (base === undefined) throw new Error(`there is no document to change by ${patch}`)
  return `${JSON.stringify(merge(JSON.parse(base), JSON.parse(patch)), null, 2)}\n`
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc7396.html#section-2 RFC 7396 section 2} */
function merge(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch
  const merged = new Map(isRecord(target) ? Object.entries(target) : [])
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name)
    else merged.set(name, merge(merged.get(name), value))
  }
  return Object.fromEntries(merged)
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
