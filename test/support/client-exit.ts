/**
 * A workload that asks for one token, once more when that is to be replaced, and then has nothing more to do. The broker's URL is
 * the first argument.
 */

import { createTokenSource } from '../../src/client/client.ts'

let passed = 0
const source = createTokenSource({
  broker: process.argv[2] ?? '',
  environment: {},
  elapsed: () => passed,
  proof: { file: '/proof' },
  readFile: async () => 'a.b.c',
})
const { accessToken } = await source.token()
passed = 700
const again = await source.token()
process.stdout.write(String(again.accessToken === accessToken))
