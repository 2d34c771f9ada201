/** Each platform's page: its documents can be used, its commands and codes exist, its code compiles. */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { REFUSAL_REASONS } from '../../src/audit/reasons.ts'
import { documentAround, readPlatformPages } from '../support/platform-pages.ts'
import { runChancery } from '../support/process.ts'
import { runCheck } from '../support/run-check.ts'
import { readSources } from '../support/source-graph.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const pages = readPlatformPages()
/** All of the product's code: what a workload or an operator is told stands in it. */
const said = [...readSources('src', 'providers').values()].map(({ text }) => text).join('\n')
const named = pages.map((page) => [page.path.replace('providers/', ''), page] as const)

test('every platform has its page', () => {
  expect(named.map(([path]) => path)).toEqual([
    'kubernetes/platforms/any-cluster.md',
    ...['ec2', 'ecs', 'eks-irsa', 'eks-pod-identity', 'eks-projected', 'lambda'].map(
      (name) => `aws/platforms/${name}.md`,
    ),
    ...['cloud-run', 'gce', 'gke'].map((name) => `gcp/platforms/${name}.md`),
    ...['aks-projected', 'aks-webhook', 'functions', 'vm'].map((name) => `azure/platforms/${name}.md`),
  ])
})

describe.each(named)('%s', (path, page) => {
  test('says what to apply, what to write and what goes wrong, on one screen or two', () => {
    const headings = [...page.text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)

    expect(headings).toEqual(['What to apply', 'Three lines, or none', 'What goes wrong'])
    expect(page.text.split('\n').length).toBeLessThan(90)
  })

  test('is reached from its cloud’s README', () => {
    const [cloud = '', ...rest] = path.split('/')

    expect(readFileSync(`${ROOT}providers/${cloud}/README.md`, 'utf8')).toContain(`](${rest.join('/')})`)
  })

  test('has a document that can be used as it is', async () => {
    const { code, findings } = await runCheck(documentAround(page))

    expect(findings).toEqual([])
    expect(code).toBe(0)
  })

  test('has manifests and policies that can be read', () => {
    for (const manifest of page.blocks('yaml'))
      expect(parseAllDocuments(manifest).flatMap(({ errors }) => errors)).toEqual([])
    for (const policy of page.blocks('json')) expect(() => JSON.parse(policy)).not.toThrow()
  })

  test('names refusals that exist', () => {
    const reasons = page.told.filter((told) =>
      /^(proof|binding|issuer|audience|principal|upstream)_[a-z_]+$/.test(told),
    )

    const known = new Set<string>([...REFUSAL_REASONS, 'proof_audiences'])

    expect(reasons.filter((reason) => !known.has(reason))).toEqual([])
  })

  test('quotes sentences that are really said', () => {
    const sentences = page.told.filter((told) => /^[\w’]+( [\w’]+){2,}$/.test(told))

    expect(sentences.filter((sentence) => !said.includes(sentence))).toEqual([])
  })
})

test('commands that the pages name have the options that are given to them', async () => {
  const commands = pages.flatMap((page) => page.blocks('sh').flatMap((block) => block.split('\n')))
  const own = commands.filter((command) => command.startsWith('chancery '))
  const used = new Map<string, Set<string>>()
  for (const command of own) {
    const [line = ''] = command.split(' -- ')
    const [, name = ''] = line.split(' ')
    used.set(name, new Set([...(used.get(name) ?? []), ...(line.match(/--[a-z-]+/g) ?? [])]))
  }

  expect(own.length).toBeGreaterThanOrEqual(pages.length)
  for (const [name, options] of used) {
    const { out, code } = await runChancery([name, '--help'])

    expect(code).toBe(0)
    expect([...options].filter((option) => !out.includes(`${option} `))).toEqual([])
  }
})

test('the code of all pages compiles against the client', () => {
  const directory = mkdtempSync(join(ROOT, 'test/.pages-'))
  try {
    pages.forEach((page, index) => {
      writeFileSync(join(directory, `page-${index}.ts`), page.blocks('ts').join('\n'))
    })
    const compilerOptions = { noEmit: true, paths: { 'chancery/client': ['../../src/client/client.ts'] } }
    writeFileSync(
      join(directory, 'tsconfig.json'),
      JSON.stringify({ extends: '../../tsconfig.json', compilerOptions, include: ['*.ts'] }),
    )

    expect(() =>
      execFileSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', directory], { encoding: 'utf8' }),
    ).not.toThrow()
  } finally {
    rmSync(directory, { recursive: true })
  }
})
