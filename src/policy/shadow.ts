/** What bindings in shadow would have decided. Pure, and of no consequence: it is recorded and counted, and nothing else. */

import type { NumericDate, VerifiedProof } from '../../providers/contract/proof.ts'
import type { Binding } from '../federation/bindings.ts'
import type { Choice } from '../federation/choose.ts'
import type { Federation } from '../federation/federation.ts'
import { type Identification, identify } from '../federation/identify.ts'
import { decide, type Verdict, type Wish } from './decide.ts'

/** Why a binding in shadow would have given nothing. */
type ShadowRefusal = Extract<Verdict, { allowed: false }>['why'] | Extract<Identification, { isGiven: false }>['why']

export interface ShadowDecision {
  readonly binding: Binding
  /** Undefined where its template made no name. */
  readonly identity: string | undefined
  readonly verdict: Extract<Verdict, { allowed: true }> | { readonly allowed: false; readonly why: ShadowRefusal }
}

/** Decides by the choice that would be made if bindings in shadow were in force; undefined where that would be none of them. */
export function decideShadow(
  choice: Choice | undefined,
  federation: Pick<Federation, 'identities' | 'audiences'>,
  wish: Wish,
  proof: Pick<VerifiedProof, 'attributes' | 'expiresAt' | 'replay'>,
  now: NumericDate,
): ShadowDecision | undefined {
  if (choice === undefined) return undefined
  const { binding } = choice
  const identified = identify(choice, proof.attributes, federation.identities)
  if (!identified.isGiven)
    return { binding, identity: identified.name, verdict: { allowed: false, why: identified.why } }
  const verdict = decide(identified.identity, federation.audiences, wish, proof, now)
  return { binding, identity: identified.name, verdict }
}
