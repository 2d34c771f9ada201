/** How a provider describes its attributes, and gives those of one proof. */

import { ProofError } from '../contract/errors.ts'
import type { Attributes } from '../contract/proof.ts'
import type { AttributeCatalogue, AttributeDescription } from '../contract/provider.ts'

/**
 * Describes an attribute that the platform vouches for: exact values alone, unless told otherwise. Where one expression says what
 * its values look like, it is published with it.
 */
export function platformAttribute(
  meaning: string,
  form: RegExp | ((value: string) => boolean),
  more: Partial<Pick<AttributeDescription, 'prefix' | 'canonical'>> = {},
): AttributeDescription {
  const described = { meaning, grade: 'platform', prefix: false } as const
  if (typeof form === 'function') return { ...described, isValue: form, ...more }
  return { ...described, form, isValue: (value) => form.test(value), ...more }
}

/** What stands in a catalogue for any name: `aws.principal_tags/<key>` is an attribute for each tag. */
const FAMILY = '<key>'

/** Makes a catalogue in which a family's members are found by their own names, and the family itself stands in the list. */
export function createCatalogue(entries: readonly (readonly [string, AttributeDescription])[]): AttributeCatalogue {
  const catalogue = new Map(entries)
  const families = entries.filter(([name]) => name.endsWith(FAMILY)).map(([name]) => name.slice(0, -FAMILY.length))
  const entryOf = (name: string): string => {
    const family = families.find((prefix) => name.startsWith(prefix) && name.length > prefix.length)
    return family === undefined ? name : family + FAMILY
  }
  const { get, has } = Map.prototype
  return Object.assign(catalogue, {
    get: (name: string) => get.call(catalogue, entryOf(name)) as AttributeDescription | undefined,
    has: (name: string) => has.call(catalogue, entryOf(name)),
  })
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
