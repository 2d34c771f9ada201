/** The tables in the READMEs of modules and examples, made from their blocks, and of what a plan refuses, from the cases that are run. */

import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { CASE_FILES, readCases, readTeamCases, type TerraformCase } from './terraform-cases.ts'

const INFRA = new URL('../../infra', import.meta.url).pathname

/** Gives every README below `infra/modules` and `infra/examples` that has marks for tables, with its text as it should be. */
export function renderTerraformReadmes(): ReadonlyMap<string, string> {
  const files = globSync('{modules,examples}/*/README.md', { cwd: INFRA }).map((file) => join(INFRA, file))
  return new Map(files.map((file) => [file, renderReadme(file)]))
}

function renderReadme(file: string): string {
  const tables: Readonly<Record<string, () => string>> = {
    inputs: () => inputsTable(readBlocks(join(dirname(file), 'variables.tf'), 'variable')),
    outputs: () => outputsTable(readBlocks(join(dirname(file), 'outputs.tf'), 'output')),
    refused: () => refusedTable(),
    'only check': () => onlyCheckTable(),
  }
  const text = readFileSync(file, 'utf8').replaceAll(QUOTE, (_, example: string, block: string) =>
    quote(example, block),
  )
  return Object.entries(tables).reduce((readme, [mark, render]) => {
    const [start, end] = [`<!-- ${mark} -->`, `<!-- /${mark} -->`]
    const from = readme.indexOf(start)
    const to = readme.indexOf(end)
    return from < 0 || to < 0 ? readme : `${readme.slice(0, from + start.length)}\n${render()}\n${readme.slice(to)}`
  }, text)
}

/** A block of an example, as a README quotes it. */
const QUOTE = /<!-- quote ([a-z-]+) (.+?) -->.*?<!-- \/quote -->/gs

function quote(example: string, block: string): string {
  const text = readFileSync(join(INFRA, 'examples', example, 'main.tf'), 'utf8')
  const start = text.indexOf(`${block} {\n`)
  const end = text.indexOf('\n}\n', start)
  if (start < 0 || end < 0) throw new Error(`${example} has no ${block}`)
  return `<!-- quote ${example} ${block} -->\n\`\`\`hcl\n${text.slice(start, end)}\n}\n\`\`\`\n<!-- /quote -->`
}

interface Block {
  readonly name: string
  /** Arguments as they are written, without line breaks. */
  readonly values: ReadonlyMap<string, string>
}

/** Reads the blocks of a file that `terraform fmt` wrote: a block ends where a line is "}", an argument where its brackets are closed. */
export function readBlocks(file: string, type: string): readonly Block[] {
  if (!existsSync(file)) return []
  const blocks = readFileSync(file, 'utf8').matchAll(new RegExp(`^${type} "([a-z0-9_]+)" \\{\\n(.*?)^\\}`, 'gms'))
  return [...blocks].map(([, name = '', body = '']) => ({ name, values: readArguments(body) }))
}

function readArguments(body: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  let open: { name: string; text: string } | undefined
  for (const line of body.split('\n')) {
    const [, name, text] = /^ {2}([a-z_]+) += (.*)$/.exec(line) ?? []
    if (open !== undefined) open.text += ` ${line.trim()}`
    else if (name !== undefined && text !== undefined) open = { name, text }
    if (open === undefined || !isClosed(open.text)) continue
    values.set(open.name, open.text)
    open = undefined
  }
  if (open !== undefined) throw new Error(`${open.name} is not closed`)
  return values
}

/** Brackets in texts do not count. */
function isClosed(text: string): boolean {
  const bare = text.replaceAll(/"(?:[^"\\]|\\.)*"/g, '')
  return (bare.match(/[([{]/g) ?? []).length === (bare.match(/[)\]}]/g) ?? []).length
}

function inputsTable(blocks: readonly Block[]): string {
  const rows = blocks.map(({ name, values }) => {
    const fallback = values.get('default')
    const type = values.get('type') ?? 'any'
    return `| \`${name}\` | \`${type}\` | ${fallback === undefined ? 'required' : `\`${fallback}\``} | ${describe(name, values)} |`
  })
  return ['| Name | Type | Default | What it is |', '| --- | --- | --- | --- |', ...rows].join('\n')
}

function outputsTable(blocks: readonly Block[]): string {
  const rows = blocks.map(({ name, values }) => `| \`${name}\` | ${describe(name, values)} |`)
  return ['| Name | What it is |', '| --- | --- |', ...rows].join('\n')
}

function describe(name: string, values: ReadonlyMap<string, string>): string {
  const description = values.get('description')
  if (description === undefined) throw new Error(`${name} has no description`)
  return (JSON.parse(description.replaceAll('$${', '${')) as string).replaceAll('|', '\\|').replaceAll('\n', ' ')
}

/** One row for each code, with what is tried for it. */
function refusedTable(): string {
  const refused = allCases().filter(({ plan, severity }) => plan !== undefined && severity === undefined)
  const byCode = Map.groupBy(refused, ({ code = '' }) => code)
  const rows = [...byCode]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([code, cases]) => `| \`${code}\` | ${[...new Set(cases.map(({ name }) => name))].join('; ')} |`)
  return ['| Code | What is tried |', '| --- | --- |', ...rows].join('\n')
}

function onlyCheckTable(): string {
  const rows = allCases()
    .filter(({ only_check }) => only_check !== undefined)
    .map(({ code, name, only_check }) => `| \`${code}\` | ${name} | ${only_check} |`)
  return ['| Code | What is tried | Why a plan cannot tell |', '| --- | --- | --- |', ...rows].join('\n')
}

function allCases(): readonly TerraformCase[] {
  return [...CASE_FILES.flatMap(readCases), ...readTeamCases()]
}

if (import.meta.main) for (const [file, text] of renderTerraformReadmes()) writeFileSync(file, text)
