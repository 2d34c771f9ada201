/**
 * A workload as a process of its own, under whichever runtime it was started by. Settings of its token source come as JSON in the
 * first argument, and where to fetch from in the second. Prints what became of it, and which packages were loaded for it.
 */

import { createRequire } from 'node:module'
import { createTokenSource, type ProofChoice, type TokenSourceSettings } from '../../src/client/client.ts'

/** What it prints. */
export interface ClientOutcome {
  readonly choice: ProofChoice
  readonly accessToken: string
  readonly status: number | undefined
  readonly loadedBefore: readonly string[]
  readonly loaded: readonly string[]
}

/** Packages that a workload needs on one platform and not on another. */
const WATCHED = ['@aws-sdk/client-sts', '@azure/identity', 'google-auth-library', 'zod', 'hono', 'pino', 'jose']

/** Node keeps what was required in its cache, and Bun also what was imported; the maps of what Node imported are not to be seen. */
function listLoaded(): readonly string[] {
  const paths = [...Object.keys(createRequire(import.meta.url).cache), ...imported]
  return WATCHED.filter((name) => paths.some((path) => path.includes(`/node_modules/${name}/`)))
}

const imported: string[] = []
const { registerHooks } = await import('node:module')
if (typeof registerHooks === 'function' && process.versions.bun === undefined) {
  registerHooks({
    load(url, context, next) {
      imported.push(url)
      return next(url, context)
    },
  })
}

const settings = JSON.parse(process.argv[2] ?? '{}') as TokenSourceSettings
const url = process.argv[3]
const source = createTokenSource(settings)
const loadedBefore = listLoaded()
const { accessToken } = await source.token()
const response = url === undefined ? undefined : await source.fetch(url)
const outcome: ClientOutcome = {
  choice: await source.explain(),
  accessToken,
  status: response?.status,
  loadedBefore,
  loaded: listLoaded(),
}
process.stdout.write(JSON.stringify(outcome), () => process.exit(0))
