/** In src/verify/replacing/shared-hmac-secret.md. */

import { createHmac } from 'node:crypto'

export function createLedger(ledger: string, secret: string) {
  return (): Promise<Response> => {
    const time = String(Math.floor(Date.now() / 1_000))
    const signature = createHmac('sha256', secret).update(`${time}.GET./entries.`).digest('hex')
    return fetch(`${ledger}/entries`, {
      headers: { 'x-caller': 'payments/api', 'x-time': time, 'x-signature': signature },
    })
  }
}
