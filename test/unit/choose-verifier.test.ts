/** Which verifier a proof is for, and why there is none. */

import { describe, expect, test, vi } from 'vitest'
import { ProofError } from '../../providers/contract/errors.ts'
import type { ProofVerifier } from '../../providers/contract/provider.ts'
import { chooseVerifier } from '../../src/exchange/choose-verifier.ts'
import { OAuthError } from '../../src/oauth/errors.ts'
import { JWT_TYPE } from '../../src/oauth/vocabulary.ts'

const TYPES: ReadonlySet<string> = new Set([JWT_TYPE])

/** A verifier that recognises some proofs, and finds trouble with those that it is shown. */
function verifierOf(recognised: string, trouble?: ProofError) {
  return {
    provider: 'kubernetes',
    recognises: vi.fn((proof: string) => proof === recognised),
    verify: async () => Promise.reject(new Error('nobody asked')),
    inspect: vi.fn(() => ({ trustedIssuer: undefined, attributes: new Map(), trouble, facts: {} })),
  } satisfies ProofVerifier
}

function choose(subjectToken: string, verifiers: readonly ProofVerifier[], subjectTokenType: string = JWT_TYPE) {
  try {
    return chooseVerifier({ subjectToken, subjectTokenType }, verifiers, TYPES)
  } catch (error) {
    return error
  }
}

test('the first that recognises a proof gets it, with its type', () => {
  const [east, west, other] = [verifierOf('east'), verifierOf('west'), verifierOf('west')]

  expect(choose('west', [east, west, other])).toEqual({ proof: 'west', verifier: west })
  expect(west.recognises).toHaveBeenCalledWith('west', JWT_TYPE)
  expect(other.recognises).not.toHaveBeenCalled()
})

describe('nobody gets', () => {
  test('a proof of a type that no configured cloud uses, which is the request’s fault', () => {
    const verifier = verifierOf('east')
    const outcome = choose('east', [verifier], 'urn:ietf:params:oauth:token-type:saml2')

    expect(outcome).toBeInstanceOf(OAuthError)
    expect(outcome).toMatchObject({ fault: 'subject_token_type_unsupported' })
    expect(verifier.recognises).not.toHaveBeenCalled()
  })

  test('a proof of more than 16 KiB, which is not even looked at', () => {
    const [fitting, long] = ['x'.repeat(16_384), 'x'.repeat(16_385)]
    const verifier = verifierOf(long)

    expect(choose(long, [verifier])).toMatchObject({ name: 'ProofError', code: 'proof_too_large' })
    expect(verifier.recognises).not.toHaveBeenCalled()
    expect(verifier.inspect).not.toHaveBeenCalled()
    expect(choose(fitting, [verifierOf(fitting)])).toMatchObject({ proof: fitting })
  })

  test('a proof that none recognises; the first trouble that is found with it is why', () => {
    const trouble = new ProofError('proof_malformed', 'no dots')
    const later = new ProofError('header_forbidden', 'jku')

    expect(choose('x', [verifierOf('a'), verifierOf('b', trouble), verifierOf('c', later)])).toBe(trouble)
  })

  test('a proof without any trouble that nobody recognises, as no trusted issuer makes such', () => {
    expect(choose('x', [verifierOf('a')])).toMatchObject({ code: 'issuer_not_trusted' })
    expect(choose('x', [])).toMatchObject({ code: 'issuer_not_trusted' })
  })
})
