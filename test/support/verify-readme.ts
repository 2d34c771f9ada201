/** The closed lists as `src/verify/README.md` shows them, and its code as it runs. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { KEY_FAULTS, REFUSALS } from '../../src/verify/refused.ts'

const README = new URL('../../src/verify/README.md', import.meta.url)

const HEAD = '| Code | Sentence |\n| --- | --- |\n'

/** Gives the README with its two tables of codes as they should be. */
export function renderVerifyReadme(): string {
  const [before, refusals, faults, ...rest] = readPage('README.md').split(HEAD)
  if (before === undefined || refusals === undefined || faults === undefined || rest.length > 0) {
    throw new Error('the README has not two tables of codes')
  }
  return [before, replaceRows(refusals, REFUSALS), replaceRows(faults, KEY_FAULTS)].join(HEAD)
}

function replaceRows(text: string, codes: Readonly<Record<string, string>>): string {
  const rows = Object.entries(codes).map(([code, sentence]) => `| \`${code}\` | ${sentence} |\n`)
  return rows.join('') + text.replace(/^(\|.*\n)*/, '')
}

/** Gives a page below `src/verify`. */
export function readPage(page: string): string {
  return readFileSync(new URL(page, README), 'utf8')
}

/** Gives the TypeScript of a page, with imports as our own files write them: each block, and of a diff what was and what comes. */
export function readSnippets(page: string): readonly string[] {
  return [...readPage(page).matchAll(/^```(ts|diff)\n(.*?)^```$/gms)].flatMap(([, kind, code = '']) => {
    const parts = kind === 'ts' ? [code] : [linesOf(code, '-'), linesOf(code, '+')]
    return parts.map(withOwnImports)
  })
}

/** Gives the files of a folder of snippets, each without the line that says where it is shown. */
export function snippetsIn(folder: string): readonly string[] {
  const url = new URL(`../snippets/${folder}/`, import.meta.url)
  return readdirSync(url).map((name) => readFileSync(new URL(name, url), 'utf8').replace(/^.*\n\n/, ''))
}

function linesOf(diff: string, mark: '-' | '+'): string {
  return [...diff.matchAll(/^([-+])(.*\n)/gm)].map(([, sign, line = '']) => (sign === mark ? line : '')).join('')
}

const ENTRIES: Readonly<Record<string, string>> = {
  'chancery/client': 'client/client',
  'chancery/verify': 'verify/verifier',
  'chancery/verify/hono': 'verify/hono',
  'chancery/verify/express': 'verify/express',
  'chancery/verify/fastify': 'verify/fastify',
  'chancery/verify/testing': 'verify/testing',
}

function withOwnImports(code: string): string {
  return code.replace(/from '(chancery\/[^']+)'/g, (_, entry: string) => `from '../../../src/${ENTRIES[entry]}.ts'`)
}

if (import.meta.main) writeFileSync(README, renderVerifyReadme())
