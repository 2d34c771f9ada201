// Plain JavaScript on purpose: an older Node must be able to read this file far enough to say what is missing.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

/** The oldest Node that runs TypeScript sources as they are and has a stable `node:sqlite`. */
export const MINIMUM_NODE_MAJOR = 24

/** What a person on a machine without a usable Node reads. */
export const NODE_TOO_OLD = `chancery needs Node ${MINIMUM_NODE_MAJOR} or newer; this is ${process.version}.
On Linux and Windows "npm ci" brings it along (unless run with --omit=optional); elsewhere install it from https://nodejs.org.
`

/** Answers whether this very process can run the sources. */
export function isNodeRecent() {
  return 'bun' in process.versions || Number(process.versions.node.split('.')[0]) >= MINIMUM_NODE_MAJOR
}

/** Finds the Node that the lockfile brought for this platform; undefined where it has none. */
export function findBundledNode() {
  const executable = process.platform === 'win32' ? 'bin/node.exe' : 'bin/node'
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
  try {
    const path = createRequire(import.meta.url)
      .resolve(`${name}/package.json`)
      .replace(/package\.json$/, executable)
    return existsSync(path) ? path : undefined
  } catch {
    return undefined
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url) && !isNodeRecent()) {
  process.stderr.write(NODE_TOO_OLD)
  process.exitCode = 1
}
