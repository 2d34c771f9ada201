/** Every document and every command of the page that teaches mapping, with what it shows. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readRecipe, readSteps, type Step } from '../support/page.ts'
import { makePageAudit } from '../support/page-audit.ts'
import { runChancery } from '../support/process.ts'

const page = readFileSync(new URL('../../infra/README.md', import.meta.url), 'utf8')
const steps = readSteps(page)
const files = steps.filter((step) => step.kind === 'file')
const commands = steps.filter((step) => step.kind === 'command')
let directory: string

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'chancery-page-'))
  for (const { name, text } of files) write(name, text)
  write(
    'audit.jsonl',
    makePageAudit()
      .map((record) => `${JSON.stringify(record)}\n`)
      .join(''),
  )
})

afterAll(() => rmSync(directory, { recursive: true }))

function write(name: string, text: string): void {
  mkdirSync(dirname(join(directory, name)), { recursive: true })
  writeFileSync(join(directory, name), text)
}

/** Runs a command where the page's files are, and tells their paths as the page does. */
async function run({ words: [npx, name, ...args] }: Extract<Step, { kind: 'command' }>) {
  expect([npx, name]).toEqual(['npx', 'chancery'])
  const known = new Set([
    'audit.jsonl',
    'audit.jsonl.gz',
    'main',
    'new',
    ...files.flatMap((file) => [file.name, dirname(file.name)]),
  ])
  const { code, out, err } = await runChancery(args.map((word) => (known.has(word) ? join(directory, word) : word)))
  return { code, err, out: out.replaceAll(`${directory}/`, '').replaceAll(/sha256:[0-9a-f]{64}/g, 'sha256:…') }
}

describe('the page', () => {
  test.each(commands.map((step) => [step.words.slice(2).join(' '), step] as const))('%s', async (_, step) => {
    const { code, out, err } = await run(step)

    expect({ code, out, err }).toEqual({ code: step.code, out: step.shown, err: '' })
  })

  test('has no document that none of its commands reads', () => {
    const read = new Set(commands.flatMap(({ words }) => words))

    expect(files.filter(({ name }) => !read.has(name) && !read.has(dirname(name)))).toEqual([])
  })

  test('shows only documents that check takes, but for those that it shows refused', async () => {
    const refused = commands
      .filter(({ words, code }) => words[2] === 'check' && code === 1)
      .map(({ words }) => words[3])
    const paths = new Set(files.map(({ name }) => (name.includes('/') ? dirname(name) : name)))
    for (const path of paths) {
      const { code } = await runChancery(['check', join(directory, path)])
      expect({ path, code }).toEqual({ path, code: refused.includes(path) ? 1 : 0 })
    }
  })

  test('has a recipe that passes a change which only gives, and stops at one which takes', async () => {
    const trail = makePageAudit().map((record) => `${JSON.stringify(record)}\n`)
    writeFileSync(join(directory, 'audit.jsonl.gz'), gzipSync(trail.join('')))
    const [old = '', gives = '', takes = ''] = ['federation.json', 'canary.json', 'new.json'].map((name) =>
      readFileSync(join(directory, name), 'utf8'),
    )
    const recipe = readRecipe(page)
    const follow = async (next: string) => {
      write('main/federation.json', old)
      write('new/federation.json', next)
      const codes: (number | null)[] = []
      for (const step of recipe) if (step.kind === 'command') codes.push((await run(step)).code)
      return codes
    }

    expect(recipe.map((step) => step.kind === 'command' && step.words[2])).toEqual(['check', 'diff', 'replay'])
    expect(await follow(gives)).toEqual([0, 0, 0])
    expect(await follow(takes)).toEqual([0, 0, 1])
  })

  test('links to what is there', () => {
    const links = [...page.matchAll(/\]\(([^)#]+)\)/g)].map(([, link]) => link ?? '')

    expect(links.length).toBeGreaterThan(5)
    for (const link of links) expect(readable(link), link).toBe(true)
  })
})

function readable(link: string): boolean {
  try {
    readFileSync(new URL(`../../infra/${link}`, import.meta.url))
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EISDIR'
  }
}
