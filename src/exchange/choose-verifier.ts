import { ProofError } from '../../providers/contract/errors.ts'
import type { UnverifiedProof } from '../../providers/contract/proof.ts'
import type { ProofVerifier } from '../../providers/contract/provider.ts'
import { OAuthError } from '../oauth/errors.ts'
import type { TokenExchangeRequest } from '../oauth/token-request.ts'

/** A proof, and the only verifier that it could be meant for. */
export interface Routed {
  readonly proof: UnverifiedProof
  readonly verifier: ProofVerifier
}

/** Longest proof of any kind, in characters. Whatever is longer is not even looked at. */
const MAX_PROOF_LENGTH = 16_384

/**
 * Chooses by token type, shape and exact issuer. Nothing is trusted for being chosen: the verifier checks it all again.
 *
 * Refuses a token type that no configured cloud uses, and a proof that none recognises.
 */
export function chooseVerifier(
  request: Pick<TokenExchangeRequest, 'subjectToken' | 'subjectTokenType'>,
  verifiers: readonly ProofVerifier[],
  subjectTokenTypes: ReadonlySet<string>,
): Routed {
  if (!subjectTokenTypes.has(request.subjectTokenType)) throw new OAuthError('subject_token_type_unsupported')
  if (request.subjectToken.length > MAX_PROOF_LENGTH)
    throw new ProofError('proof_too_large', 'the proof is longer than 16 KiB')
  const proof = request.subjectToken as UnverifiedProof
  const verifier = verifiers.find((candidate) => candidate.recognises(proof, request.subjectTokenType))
  if (verifier === undefined) throw findTrouble(proof, verifiers)
  return { proof, verifier }
}

/** A proof that nobody recognises is read once more, so that the record says what is wrong with it. */
function findTrouble(proof: UnverifiedProof, verifiers: readonly ProofVerifier[]): ProofError {
  const troubles = verifiers.map((verifier) => verifier.inspect(proof).trouble)
  const trouble = troubles.find((error) => error !== undefined)
  return trouble ?? new ProofError('issuer_not_trusted', 'no trusted issuer makes such proofs')
}
