/** Types for the entry points, as every way of TypeScript to find them expects it. */

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, posix } from 'node:path'
import { ENTRY_POINTS, ROOT } from './layout.ts'

/**
 * Writes the declarations twice, under `types` as a module's and under `types-cjs` as CommonJS's: TypeScript takes a declaration for
 * what the nearest manifest says it is, and would refuse `require` of the first. Beside each entry point stands a file that leads to
 * its own, for whoever knows no `exports`.
 *
 * Throws where the sources have type errors.
 */
export function writeDeclarations(directory: string): void {
  const declarations = emitDeclarations()
  for (const [path, text] of declarations) {
    writeText(join(directory, 'types', path), text)
    writeText(join(directory, 'types-cjs', path), asCommonJs(text))
  }
  writeText(join(directory, 'types-cjs', 'package.json'), `${JSON.stringify({ type: 'commonjs' })}\n`)
  for (const [name, source] of ENTRY_POINTS) {
    const to = posix.relative(posix.dirname(name), `types/${source.replace(/\.ts$/, '.js')}`)
    writeText(join(directory, `${name}.d.ts`), `export * from '${to.startsWith('.') ? to : `./${to}`}'\n`)
  }
}

/** Gives what the entry points need of the declarations, by path, in order. */
function emitDeclarations(): ReadonlyMap<string, string> {
  const emitted = mkdtempSync(join(tmpdir(), 'chancery-types-'))
  try {
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    const args = [tsc, '-p', join(ROOT, 'infra/build/tsconfig.json'), '--outDir', emitted]
    execFileSync(process.execPath, args, { stdio: 'inherit' })
    const found = new Map<string, string>()
    const pending = [...ENTRY_POINTS.values()].map((source) => source.replace(/\.ts$/, '.d.ts'))
    for (const path of pending) {
      if (found.has(path)) continue
      const text = readFileSync(join(emitted, path), 'utf8')
      found.set(path, text.replaceAll(RELATIVE_TS, '$1.js$2'))
      pending.push(...[...text.matchAll(RELATIVE_TS)].map(([specifier]) => declarationOf(path, specifier)))
    }
    return new Map([...found].sort(([one], [other]) => (one < other ? -1 : 1)))
  } finally {
    rmSync(emitted, { recursive: true, force: true })
  }
}

/** A relative import of a source, in its quotes. The compiler leaves the extension as it was written. */
const RELATIVE_TS = /(['"]\.\.?\/[^'"\n]+)\.ts(['"])/g

function declarationOf(from: string, quoted: string): string {
  return posix.join(dirname(from), quoted.slice(1, -1).replace(/\.ts$/, '.d.ts'))
}

/** A declaration's import of a package. It imports types alone, whatever it says. */
const PACKAGE_IMPORT = /^import (?:type )?\{([^}]*)\} from '((?!node:)[^.'][^']*)';$/gm

/** CommonJS may name the types of a package that is a module and nothing else, if it says that it knows. */
function asCommonJs(text: string): string {
  return text.replaceAll(PACKAGE_IMPORT, (line, names: string, specifier: string) =>
    isModuleOnly(specifier)
      ? `import type {${names.replaceAll(/\btype /g, '')}} from '${specifier}' with { 'resolution-mode': 'import' };`
      : line,
  )
}

function isModuleOnly(specifier: string): boolean {
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
  const { type, exports } = JSON.parse(readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8')) as {
    readonly type?: string
    readonly exports?: unknown
  }
  return type === 'module' && !(JSON.stringify(exports) ?? '').includes('"require"')
}

function writeText(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}
