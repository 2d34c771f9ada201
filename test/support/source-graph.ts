/** Reads sources as a graph of imports, types included, and measures their functions. */

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseSync, Visitor } from 'oxc-parser'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** One import: of another file of ours, by its path from the root, or of a package. */
export interface Import {
  readonly from: string
  readonly to: string
}

export interface SourceFile {
  readonly path: string
  readonly text: string
  readonly lines: number
  readonly imports: readonly string[]
  /** Functions by the line on which each begins, with their length in lines. */
  readonly functions: readonly { readonly line: number; readonly lines: number }[]
}

/** Gives the sources below folders of the project, by path. */
export function readSources(...folders: readonly string[]): ReadonlyMap<string, SourceFile> {
  const paths = folders.flatMap((folder) => listSources(join(ROOT, folder)))
  return new Map(paths.map((path) => [path, readSource(path)]))
}

/** Reads one source, given as text where it is made up. */
export function readSource(path: string, text = readFileSync(join(ROOT, path), 'utf8')): SourceFile {
  const { program, module, errors } = parseSync(path, text)
  if (errors.length > 0) throw new Error(`${path} cannot be parsed: ${errors[0]?.message}`)
  const specifiers = [
    ...module.staticImports.map((found) => found.moduleRequest.value),
    ...module.staticExports.flatMap(({ entries }) => entries.flatMap((entry) => entry.moduleRequest?.value ?? [])),
    ...module.dynamicImports.map((found) => text.slice(found.moduleRequest.start + 1, found.moduleRequest.end - 1)),
    // A thread's entry is imported by whoever starts it.
    ...[...text.matchAll(/new Worker\(\s*new URL\('([^']+)'/g)].map(([, specifier]) => specifier ?? ''),
    ...[...text.matchAll(/\bimport\('([^']+)'\)/g)].map(([, specifier]) => specifier ?? ''),
  ]
  const lineOf = (offset: number): number => text.slice(0, offset).split('\n').length
  const functions: { line: number; lines: number }[] = []
  const measure = ({ start, end }: { start: number; end: number }): void => {
    functions.push({ line: lineOf(start), lines: lineOf(end) - lineOf(start) + 1 })
  }
  new Visitor({
    FunctionDeclaration: measure,
    FunctionExpression: measure,
    ArrowFunctionExpression: measure,
  }).visit(program)
  const imports = [...new Set(specifiers)].map((specifier) => resolveSpecifier(path, specifier))
  return { path, text, lines: text.split('\n').length - 1, imports, functions }
}

/** Gives every file and package that can be reached from some, by whatever import. */
export function reachableFrom(
  sources: ReadonlyMap<string, SourceFile>,
  starts: readonly string[],
): ReadonlySet<string> {
  const reached = new Set<string>(starts)
  for (const path of reached) for (const next of sources.get(path)?.imports ?? []) reached.add(next)
  return reached
}

/** Gives a cycle in a graph as the nodes on it; undefined where there is none. */
export function findCycle(graph: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>()
  const visit = (node: string, trail: readonly string[]): readonly string[] | undefined => {
    if (trail.includes(node)) return [...trail.slice(trail.indexOf(node)), node]
    if (done.has(node)) return undefined
    for (const next of graph.get(node) ?? []) {
      const cycle = visit(next, [...trail, node])
      if (cycle !== undefined) return cycle
    }
    done.add(node)
    return undefined
  }
  for (const node of graph.keys()) {
    const cycle = visit(node, [])
    if (cycle !== undefined) return cycle
  }
  return undefined
}

function listSources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|mjs)$/.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .sort()
}

function resolveSpecifier(path: string, specifier: string): string {
  return specifier.startsWith('.') ? relative(ROOT, resolve(ROOT, dirname(path), specifier)) : specifier
}
