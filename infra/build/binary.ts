/** Builds `chancery` as one executable for Linux that needs no Node, nor anything else: this Node's own, with the command inside. */

import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { bundleExecutable } from './bundle.ts'
import { PACKAGE_DIRECTORY, ROOT } from './layout.ts'
import { listLicenses } from './third-party.ts'

/** Where Node looks for a program inside of itself. @see {@link https://nodejs.org/api/single-executable-applications.html} */
const BLOB_NAME = 'NODE_SEA_BLOB'
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'

const POSTJECT = join(ROOT, 'node_modules/postject/dist/cli.js')

const EXECUTABLE_MODE = 0o755

/** Gives the path of the Node that the lockfile brought for this machine. Throws where it brought none. */
function findNode(): string {
  const name = `node-${process.platform}-${process.arch}`
  return join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'bin/node')
}

/** Builds it at a path, with the licences of what is inside beside it. Gives its size and that of the bundle in it, in bytes. */
export async function buildBinary(file: string): Promise<{ readonly bundle: number; readonly executable: number }> {
  const node = findNode()
  const work = mkdtempSync(join(tmpdir(), 'chancery-binary-'))
  try {
    const metafile = await bundleExecutable(join(work, 'chancery.cjs'))
    const config = {
      main: 'chancery.cjs',
      output: 'chancery.blob',
      disableExperimentalSEAWarning: true,
      useCodeCache: true,
    }
    writeFileSync(join(work, 'sea.json'), JSON.stringify(config))
    // The cache of compiled code halves the time to start; seeded, it is the same at every build.
    runNode(node, ['--random-seed=1', '--experimental-sea-config', 'sea.json'], work)
    copyFileSync(node, join(work, 'chancery'))
    chmodSync(join(work, 'chancery'), EXECUTABLE_MODE)
    runNode(node, [POSTJECT, 'chancery', BLOB_NAME, 'chancery.blob', '--sentinel-fuse', FUSE], work)
    mkdirSync(dirname(file), { recursive: true })
    // One that runs cannot be written to, but can be replaced.
    rmSync(file, { force: true })
    copyFileSync(join(work, 'chancery'), file)
    chmodSync(file, EXECUTABLE_MODE)
    const ofNode = readFileSync(join(dirname(node), '../LICENSE'), 'utf8')
    writeFileSync(`${file}.licenses.txt`, `${listLicenses(metafile)}\n\nNode.js\n=======\n\n${ofNode}`)
    return { bundle: statSync(join(work, 'chancery.cjs')).size, executable: statSync(file).size }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** What it writes is shown where it fails: on Node's own executable the injection warns of section names, which do no harm. */
function runNode(node: string, args: readonly string[], cwd: string): void {
  execFileSync(node, args, { cwd, stdio: 'pipe' })
}

if (import.meta.main) {
  const name = `chancery-${process.platform}-${process.arch}`
  const { bundle, executable } = await buildBinary(join(ROOT, PACKAGE_DIRECTORY, name))
  process.stdout.write(`${PACKAGE_DIRECTORY}/${name}: ${executable} bytes, of which the command has ${bundle}\n`)
}
