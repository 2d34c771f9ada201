/** In every page of src/verify/replacing. */

import { createTokenSource } from '../../../src/client/client.ts'

export function createLedger(ledger: string, broker: string) {
  const tokens = createTokenSource({ broker, audience: 'ledger' })
  return (): Promise<Response> => tokens.fetch(`${ledger}/entries`)
}
