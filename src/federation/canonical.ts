import type { AttributeDescription } from '../../providers/contract/provider.ts'

/** Gives the spelling of a value in which conditions and attributes are compared, wherever the value was written. */
export function canonical(attribute: AttributeDescription | undefined, value: string): string {
  return attribute?.canonical?.(value) ?? value
}
