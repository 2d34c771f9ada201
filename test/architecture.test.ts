/** Proves what the layout promises: who may import whom, no cycles, nothing too long. */

import { basename, dirname } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findCycle, reachableFrom, readSource, readSources, type SourceFile } from './support/source-graph.ts'

const product = readSources('src', 'providers')
const tests = readSources('test')
const CLOUDS = ['aws', 'azure', 'gcp', 'kubernetes']

/** The longest that anything may be, in lines. */
const LIMITS = { file: 250, testFile: 300, function: 60 }

/** Gives `from → to` for every import that a rule forbids. */
function forbiddenImports(
  sources: ReadonlyMap<string, SourceFile>,
  isForbidden: (from: string, to: string) => boolean,
): readonly string[] {
  return [...sources.values()].flatMap(({ path, imports }) =>
    imports.filter((to) => isForbidden(path, to)).map((to) => `${path} → ${to}`),
  )
}

describe('the import rule', () => {
  test('no provider imports the broker', () => {
    expect(forbiddenImports(product, (from, to) => from.startsWith('providers/') && to.startsWith('src/'))).toEqual([])
  })

  test('the broker imports of the providers only the contract and, each in its place, the lists', () => {
    const lists: Readonly<Record<string, RegExp>> = {
      'providers/verifiers.ts': /^src\/cli\//,
      'providers/provers.ts': /^src\/client\//,
      'providers/stand-ins.ts': /^src\/cli\/dev/,
    }
    const isForbidden = (from: string, to: string): boolean =>
      from.startsWith('src/') &&
      to.startsWith('providers/') &&
      !to.startsWith('providers/contract/') &&
      lists[to]?.test(from) !== true

    expect(forbiddenImports(product, isForbidden)).toEqual([])
  })

  test('no cloud imports another', () => {
    const cloudOf = (path: string): string | undefined => CLOUDS.find((cloud) => path.startsWith(`providers/${cloud}/`))
    const isForbidden = (from: string, to: string): boolean =>
      cloudOf(from) !== undefined && cloudOf(to) !== undefined && cloudOf(from) !== cloudOf(to)

    expect(forbiddenImports(product, isForbidden)).toEqual([])
  })

  test('the kit and the contract import no cloud, and the contract not the kit', () => {
    const isForbidden = (from: string, to: string): boolean =>
      (/^providers\/(kit|contract)\//.test(from) && CLOUDS.some((cloud) => to.startsWith(`providers/${cloud}/`))) ||
      (from.startsWith('providers/contract/') && to.startsWith('providers/kit/'))

    expect(forbiddenImports(product, isForbidden)).toEqual([])
  })

  test('the protocol’s words import nothing of ours', () => {
    const isForbidden = (from: string, to: string): boolean =>
      from.startsWith('src/oauth/') && !to.startsWith('src/oauth/')

    expect(forbiddenImports(product, isForbidden)).toEqual([])
  })

  test('Hono is known to the HTTP side, and to the middleware for it', () => {
    const isForbidden = (from: string, to: string): boolean =>
      /^(hono|@hono\/)/.test(to) && !from.startsWith('src/http/') && from !== 'src/verify/hono.ts'

    expect(forbiddenImports(product, isForbidden)).toEqual([])
  })

  test('what a service or a workload imports brings no part of the broker but the protocol’s words', () => {
    const isForbidden = (from: string, to: string): boolean =>
      /^src\/(client|verify)\//.test(from) && to.startsWith('src/') && !/^src\/(client|verify|oauth)\//.test(to)

    expect(forbiddenImports(product, isForbidden)).toEqual([])
  })

  test('product code imports no test', () => {
    expect(forbiddenImports(product, (_, to) => to.startsWith('test/'))).toEqual([])
  })
})

describe('what can be reached', () => {
  const SERVE = ['src/cli/serve-command.ts', 'src/cli/federation-worker.ts', 'src/cli/serve-worker.ts']
  const isOfWorkload = (path: string): boolean =>
    /\/prover\.ts$|^providers\/provers\.ts$|stand-in|^(@aws-sdk\/|google-auth-library|@azure\/)/.test(path)

  test('from serve no prover, no stand-in and no cloud’s SDK', () => {
    const reached = reachableFrom(product, SERVE)

    expect(reached).toContain('providers/kubernetes/verifier.ts')
    expect([...reached].filter(isOfWorkload)).toEqual([])
  })

  test('from a prover or the client no verifier', () => {
    const starts = [...product.keys()].filter((path) => path.startsWith('src/client/') || path.endsWith('/prover.ts'))
    const reached = reachableFrom(product, ['providers/provers.ts', ...starts])

    expect(reached).toContain('providers/kubernetes/prover.ts')
    expect([...reached].filter((path) => /\/verifier\.ts$|^providers\/verifiers\.ts$/.test(path))).toEqual([])
  })
})

describe('cycles', () => {
  const filesOf = (sources: ReadonlyMap<string, SourceFile>) =>
    new Map([...sources.values()].map(({ path, imports }) => [path, imports.filter((to) => sources.has(to))]))

  /** A folder is a node, and so is a file that stands beside folders. */
  const nodeOf = (path: string): string => (/^(src|providers)\/[^/]+$/.test(path) ? path : dirname(path))

  test('no file imports itself through others, types included', () => {
    expect(findCycle(filesOf(product))).toBeUndefined()
    expect(findCycle(filesOf(tests))).toBeUndefined()
  })

  test('no folder does', () => {
    const folders = new Map<string, string[]>()
    for (const [from, imports] of filesOf(product)) {
      const others = imports.map(nodeOf).filter((to) => to !== nodeOf(from))
      folders.set(nodeOf(from), [...(folders.get(nodeOf(from)) ?? []), ...others])
    }

    expect(findCycle(folders)).toBeUndefined()
  })
})

describe('size and names', () => {
  const tooLong = (sources: ReadonlyMap<string, SourceFile>, limit: number): readonly string[] =>
    [...sources.values()].filter(({ lines }) => lines > limit).map(({ path, lines }) => `${path}: ${lines}`)

  test('no file is too long', () => {
    expect(tooLong(product, LIMITS.file)).toEqual([])
    expect(tooLong(tests, LIMITS.testFile)).toEqual([])
  })

  test('no function is too long', () => {
    const long = [...product.values()].flatMap(({ path, functions }) =>
      functions.filter(({ lines }) => lines > LIMITS.function).map(({ line, lines }) => `${path}:${line}: ${lines}`),
    )

    expect(long).toEqual([])
  })

  test('names are kebab-case, and none is a drawer for everything', () => {
    const names = [...product.keys(), ...tests.keys()].map((path) => basename(path))

    expect(names.filter((name) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.(test|config))?\.(ts|mjs)$/.test(name))).toEqual([])
    expect(names.filter((name) => /^(utils?|helpers?|common|misc|index)\./.test(name))).toEqual([])
  })
})

describe('the world outside', () => {
  const filesWith = (pattern: RegExp, folder: string): readonly string[] =>
    [...product.values()]
      .filter(({ path, text }) => path.startsWith(folder) && pattern.test(text))
      .map(({ path }) => path)

  test('only the configuration reads the environment, and only stand-ins lend it', () => {
    const readers = ['src/client/environment.ts', 'src/config.ts']

    expect(filesWith(/process\.env/, 'src/').filter((path) => !readers.includes(path))).toEqual([])
    expect(filesWith(/process\.env/, 'providers/')).toEqual(['providers/kit/stand-in-environment.ts'])
  })

  test('only what serves listens: the broker, a workload’s agent, a developer’s clouds', () => {
    const listening = filesWith(/\.listen\(/, 'src/')

    expect(listening.filter((path) => !/^src\/cli\/(agent|dev)\//.test(path))).toEqual(['src/cli/serve.ts'])
  })

  test('requests leave by the one bounded client', () => {
    const ways = /(?<![.\w])fetch\(|from 'node:https?'|from 'undici'/

    expect(filesWith(ways, 'providers/').filter((path) => !path.includes('stand-in'))).toEqual([
      'providers/kit/http.ts',
    ])
  })

  test('nothing is left to be done later', () => {
    expect(filesWith(/\b(TODO|FIXME|XXX)\b/, '')).toEqual([])
  })
})

describe('these checks themselves', () => {
  const made = (path: string, text: string): SourceFile => readSource(path, text)

  test('see imports of values, types, re-exports, dynamic imports and threads', () => {
    const { imports } = made(
      'src/a/one.ts',
      `import { b } from './b.ts'
       import type { C } from '../c/c.ts'
       export { d } from './d.ts'
       const e = await import('./e.ts')
       type F = import('./f.ts').F
       new Worker(new URL('./g.ts', import.meta.url))`,
    )

    expect(imports).toEqual(['src/a/b.ts', 'src/c/c.ts', 'src/a/d.ts', 'src/a/e.ts', 'src/a/g.ts', 'src/a/f.ts'])
  })

  test('find a cycle, a long function and what is reachable', () => {
    const long = made('src/a.ts', `export function f() {\n${'  g()\n'.repeat(70)}}`)
    const graph = new Map(
      [made('src/x.ts', `import './y.ts'`), made('src/y.ts', `import type {} from './x.ts'`)].map((file) => [
        file.path,
        file,
      ]),
    )

    expect(long.functions).toEqual([{ line: 1, lines: 72 }])
    expect(findCycle(new Map([...graph].map(([path, { imports }]) => [path, imports])))).toEqual([
      'src/x.ts',
      'src/y.ts',
      'src/x.ts',
    ])
    expect([...reachableFrom(graph, ['src/x.ts'])]).toEqual(['src/x.ts', 'src/y.ts'])
  })
})
