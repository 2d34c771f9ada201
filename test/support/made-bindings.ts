/** Bindings as the index sees them, for tests that need no document. */

import type { Attributes } from '../../providers/contract/proof.ts'
import type { Binding, BindingIndex } from '../../src/federation/bindings.ts'
import { choose } from '../../src/federation/choose.ts'
import { parseCondition } from '../../src/federation/match.ts'

/** Conditions as the document writes them, by attribute. */
export type Entries = Readonly<Record<string, string | readonly string[]>>

/** Makes a binding of the trusted issuer `cluster`, in force. */
export function bindingOf(name: string, entries: Entries, identity = name): Binding {
  const match = Object.entries(entries).flatMap(([attribute, value]) => {
    const condition = parseCondition(value)
    return condition === undefined ? [] : [[attribute, condition] as const]
  })
  return {
    name,
    trustedIssuer: 'cluster',
    match: new Map(match),
    identity,
    entry: identity,
    isSuspended: false,
    isShadow: false,
  }
}

/** Gives the binding that decides. */
export function decidingBinding(
  index: BindingIndex,
  trustedIssuer: string,
  attributes: Attributes,
): Binding | undefined {
  return choose(index.findAll(trustedIssuer, attributes)).live?.binding
}
