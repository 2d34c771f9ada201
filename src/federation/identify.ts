/** From the binding that decides to the identity that it gives, or why it gives none. */

import type { Attributes } from '../../providers/contract/proof.ts'
import type { Choice } from './choose.ts'
import type { Identities, Identity } from './identity.ts'
import { expand, type TemplateFault } from './template.ts'

export type Identification =
  | { readonly isGiven: true; readonly name: string; readonly identity: Identity }
  | {
      readonly isGiven: false
      readonly why: 'binding_missing' | 'binding_suspended' | 'identity_malformed' | 'identity_suspended'
      /** As far as it can be made. */
      readonly name: string | undefined
      readonly fault: TemplateFault | undefined
    }

/**
 * Gives the identity of a proof by the binding that decides.
 *
 * Refuses everything by a suspended binding or for a suspended identity, and a proof of which the binding's template makes no name.
 */
export function identify(
  choice: Pick<Choice, 'binding' | 'isSuspended'>,
  attributes: Attributes,
  identities: Pick<Identities, 'get'>,
): Identification {
  const expansion = expand(choice.binding.identity, attributes)
  const name = expansion.isMade ? expansion.name : undefined
  const fault = expansion.isMade ? undefined : expansion.fault
  if (choice.isSuspended) return { isGiven: false, why: 'binding_suspended', name, fault }
  if (name === undefined) return { isGiven: false, why: 'identity_malformed', name, fault }
  const identity = identities.get(choice.binding.entry)
  if (identity === undefined) return { isGiven: false, why: 'binding_missing', name, fault }
  if (identity.isSuspended) return { isGiven: false, why: 'identity_suspended', name, fault }
  return { isGiven: true, name, identity }
}
