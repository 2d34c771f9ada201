/** In src/verify/replacing/basic-auth.md. */

export function createLedger(ledger: string, password: string) {
  const authorization = `Basic ${Buffer.from(`payments:${password}`).toString('base64')}`
  return (): Promise<Response> => fetch(`${ledger}/entries`, { headers: { authorization } })
}
