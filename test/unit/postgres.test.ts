/** The PostgreSQL store: the contract of every store, and what concerns its schema. */

import { openPostgresStore } from '../../src/store/postgres.ts'
import { parsePostgresUrl } from '../../src/store/postgres-url.ts'
import { describePostgres } from '../support/postgres-suite.ts'
import { describeStore } from '../support/store-contract.ts'

describePostgres('postgres', (server) => {
  describeStore('postgres', async () => {
    const locator = await server().createDatabase()
    return { open: () => openPostgresStore(parsePostgresUrl(locator)), locator }
  })
})
