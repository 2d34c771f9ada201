/** In src/verify/replacing/api-key.md. */

export function createLedger(ledger: string, key: string) {
  return (): Promise<Response> => fetch(`${ledger}/entries`, { headers: { 'x-api-key': key } })
}
