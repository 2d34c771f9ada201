/** In src/verify/replacing/client-secret.md. */

export function createLedger(ledger: string, idp: string, secret: string) {
  return async (): Promise<Response> => {
    const form = { grant_type: 'client_credentials', client_id: 'payments', client_secret: secret, audience: 'ledger' }
    const answer = await fetch(`${idp}/token`, { method: 'POST', body: new URLSearchParams(form) })
    const { access_token: token } = (await answer.json()) as { access_token: string }
    return await fetch(`${ledger}/entries`, { headers: { authorization: `Bearer ${token}` } })
  }
}
