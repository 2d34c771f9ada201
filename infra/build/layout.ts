/** What is built of what, and where it goes. */

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The root of the project. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** The published package. */
export const PACKAGE_DIRECTORY = 'dist'

/** Every entry point of the package: what is imported, and its source. */
export const ENTRY_POINTS: ReadonlyMap<string, string> = new Map([
  ['client', 'src/client/client.ts'],
  ['verify', 'src/verify/verifier.ts'],
  ['verify/testing', 'src/verify/testing.ts'],
  ['verify/hono', 'src/verify/hono.ts'],
  ['verify/express', 'src/verify/express.ts'],
  ['verify/fastify', 'src/verify/fastify.ts'],
])

/** The project's own manifest, as far as the package's is made of it. */
export interface ProjectManifest {
  readonly name: string
  readonly version: string
  readonly description: string
  readonly license: string
  readonly engines: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
}

/** Reads it. */
export function readManifest(): ProjectManifest {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as ProjectManifest
}
