/** A workload that asks for one token and then has nothing more to do. The broker's URL is the first argument. */

import { createTokenSource } from '../../src/client/client.ts'

const source = createTokenSource({
  broker: process.argv[2] ?? '',
  environment: {},
  proof: { file: '/proof' },
  readFile: async () => 'a.b.c',
})
const { expiresAt } = await source.token()
process.stdout.write(String(expiresAt > 0))
