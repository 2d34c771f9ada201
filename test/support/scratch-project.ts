/** A project that is not ours, with the package in it as npm puts it there. Nothing is asked of a registry. */

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { buildPackage } from '../../infra/build/build.ts'
import { ROOT } from '../../infra/build/layout.ts'

/** What the package depends on, and what one of its users has. They are taken from this project's own. */
const OTHERS = ['jose', 'zod', 'hono', 'undici-types', '@types/node']

/** This project's Node goes before the machine's. */
const PATH = [join(ROOT, 'node_modules/.bin'), dirname(process.execPath), process.env.PATH ?? ''].join(delimiter)

export interface ScratchProject {
  readonly directory: string
  /** The package as it was built, before it was packed. */
  readonly built: string
  /** What npm says is in the tarball. */
  readonly packed: readonly string[]
  /** Writes a file of the project. */
  write(path: string, text: string): void
  /** Runs a program in it. */
  run(
    program: string,
    ...args: readonly string[]
  ): { readonly code: number | null; readonly out: string; readonly err: string }
  remove(): void
}

/** Builds the package, packs it and installs the tarball. */
export async function createScratchProject(): Promise<ScratchProject> {
  const base = mkdtempSync(join(tmpdir(), 'chancery-scratch-'))
  const built = join(base, 'built')
  const directory = join(base, 'project')
  mkdirSync(directory)
  await buildPackage(built)
  const { tarball, files } = pack(built, base)
  const others = OTHERS.map((name) => pack(join(ROOT, 'node_modules', name), base).tarball)
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ name: 'scratch', private: true }))
  npm(directory, 'install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', tarball, ...others)
  return {
    directory,
    built,
    packed: files,
    write(path, text) {
      mkdirSync(dirname(join(directory, path)), { recursive: true })
      writeFileSync(join(directory, path), text)
    },
    run(program, ...args) {
      const { status, stdout, stderr } = spawnSync(program, args, {
        cwd: directory,
        encoding: 'utf8',
        env: environment(),
      })
      return { code: status, out: stdout, err: stderr }
    },
    remove: () => rmSync(base, { recursive: true, force: true }),
  }
}

interface Packed {
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

function pack(folder: string, into: string): { readonly tarball: string; readonly files: readonly string[] } {
  const text = npm(into, 'pack', folder, '--json', '--ignore-scripts', '--pack-destination', into)
  // A list in one version of npm, an object by name in another.
  const [packed] = Object.values(JSON.parse(text) as Readonly<Record<string, Packed>>)
  if (packed === undefined) throw new Error(`npm packed nothing of ${folder}`)
  return { tarball: join(into, packed.filename), files: packed.files.map(({ path }) => path) }
}

function npm(directory: string, ...args: readonly string[]): string {
  return execFileSync('npm', args, {
    cwd: directory,
    encoding: 'utf8',
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Of the npm that runs these tests nothing is passed on, as it would lead npm back here. */
function environment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(npm_|chancery_|node_options|vitest)/i.test(name))
  return { ...Object.fromEntries(inherited), PATH, npm_config_update_notifier: 'false' }
}
