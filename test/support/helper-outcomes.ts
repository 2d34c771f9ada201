/** What a helper gets when it asks for a token, decided by a test. */

import type { Ending, ObtainToken } from '../../src/cli/credential/answer.ts'

export interface RecordedObtain {
  readonly obtain: ObtainToken
  /** The audiences that were asked for, in order. */
  readonly audiences: readonly (string | undefined)[]
}

/** Gives a token that is the audience's name, or fails with an ending. */
export function recordedObtain(ending?: Ending): RecordedObtain {
  const audiences: (string | undefined)[] = []
  return {
    audiences,
    async obtain(audience) {
      audiences.push(audience)
      if (ending !== undefined) return { failure: { ending, code: 'made_up', message: 'there is none' } }
      const issuedTokenType = 'urn:ietf:params:oauth:token-type:access_token'
      const accessToken = `token-for-${audience ?? 'nobody-in-particular'}`
      return { got: { accessToken, issuedTokenType, tokenType: 'Bearer', expiresAt: 1_768_479_300 } }
    },
  }
}
