/** The shortest use there is: in src/verify/README.md. */

import { createVerifier } from '../../../src/verify/verifier.ts'

const verifier = createVerifier({ issuer: 'https://broker.corp.example', audience: 'ledger' })

export async function whoCalls(token: string): Promise<string> {
  const { identity } = await verifier.verify(token)
  return identity
}
