import { Client } from 'pg'
import { onTestFinished } from 'vitest'

/** Begins a transaction of somebody else's and leaves it open. It is ended with the running test. */
export async function holdOpen(url: string, statements: readonly string[]): Promise<{ commit(): Promise<void> }> {
  const client = new Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  onTestFinished(() => client.end())
  for (const statement of ['BEGIN', ...statements]) await client.query(statement)
  return { commit: async () => void (await client.query('COMMIT')) }
}
