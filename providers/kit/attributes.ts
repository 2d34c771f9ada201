/** How a provider describes its attributes, and gives those of one proof. */

import { ProofError } from '../contract/errors.ts'
import type { Attributes } from '../contract/proof.ts'
import type { AttributeCatalogue, AttributeDescription } from '../contract/provider.ts'

/** Describes an attribute that the platform vouches for: exact values alone, unless told otherwise. */
export function platformAttribute(
  meaning: string,
  isValue: (value: string) => boolean,
  more: Partial<Pick<AttributeDescription, 'prefix' | 'canonical'>> = {},
): AttributeDescription {
  return { meaning, grade: 'platform', prefix: false, isValue, ...more }
}

/**
 * Gives the attributes that a proof has, in the spelling in which they are compared. Refuses a value that the platform would
 * never have given: whatever signed it, it is no name of anything there.
 */
export function collectAttributes(
  catalogue: AttributeCatalogue,
  values: Readonly<Record<string, string | undefined>>,
): Attributes {
  const attributes = new Map<string, string>()
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue
    const attribute = catalogue.get(name)
    const spelled = attribute?.canonical?.(value) ?? value
    if (attribute?.isValue(spelled) !== true) {
      throw new ProofError('claim_invalid', `${name} has a value that its platform does not give`, {
        facts: { claim: name },
      })
    }
    attributes.set(name, spelled)
  }
  return attributes
}
