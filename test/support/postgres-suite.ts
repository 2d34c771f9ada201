/** Suites that need a PostgreSQL server: one server for a file, and none where the machine has no PostgreSQL. */

import { afterAll, beforeAll, describe } from 'vitest'
import { hasPostgres } from './postgres-binaries.ts'
import { type PostgresServer, startPostgres } from './postgres-server.ts'

/** Runs a suite over a server that lives as long as the suite, or says that it is skipped. */
export function describePostgres(name: string, suite: (server: () => PostgresServer) => void): void {
  if (!hasPostgres()) process.stdout.write(`SKIP ${name}: this machine has no PostgreSQL\n`)
  describe.skipIf(!hasPostgres())(name, () => {
    let server: PostgresServer | undefined
    beforeAll(async () => {
      server = await startPostgres()
    })
    afterAll(() => server?.remove())
    suite(() => {
      if (server === undefined) throw new Error('the server has not been started yet')
      return server
    })
  })
}
