export interface ExchangeReply {
  readonly status: number
  readonly requestId: string
  readonly token: string | undefined
  /** The answer without its token. */
  readonly body: object
}

/** Exchanges a proof for a token: all that a workload has to do. */
export async function exchange(issuer: string, proof: string, type: string, audience: string): Promise<ExchangeReply> {
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token_type: type,
      subject_token: proof,
      audience,
    }),
  })
  const { access_token: token, ...body } = (await response.json()) as { access_token?: string }
  return { status: response.status, requestId: response.headers.get('x-request-id') ?? '', token, body }
}
