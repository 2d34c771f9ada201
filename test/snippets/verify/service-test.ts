/** In src/verify/README.md. */

import { createTestIssuer } from '../../../src/verify/testing.ts'
import { createApp } from './hono-service.ts'

export async function askAsPayments(): Promise<Response> {
  const issuer = await createTestIssuer({ audience: 'ledger' })
  const token = await issuer.token({ identity: 'payments/api', scopes: ['entries:write'] })
  const app = createApp(issuer.verifier)
  return await app.request('/entries', { method: 'POST', headers: { authorization: `Bearer ${token}` } })
}
