import type { Egress, Memory, Ports, ProofVerifier } from '../../providers/contract/provider.ts'
import type { Federation } from '../federation/federation.ts'

/** What verifiers are given, less what belongs to one document. */
export type LastingPorts = Omit<Ports, 'memory'> & { readonly egress: Egress }

/** The verifiers of one document, and the token types that they take. */
export interface Verifiers {
  readonly verifiers: readonly ProofVerifier[]
  readonly subjectTokenTypes: ReadonlySet<string>
}

/**
 * Makes the verifiers of each document in turn. Those of the next remember what those of the last had fetched, unless what it was
 * fetched for has changed.
 */
export function createVerifierFactory(ports: LastingPorts): (federation: Federation) => Verifiers {
  let remembered: ReadonlyMap<string, unknown> = new Map()
  return (federation) => {
    const { memory, contents } = rememberFrom(remembered)
    const providers = new Set(federation.issuers.map((issuer) => issuer.provider))
    const verifiers = [...providers].map((provider) => {
      const trusted = federation.issuers.filter((issuer) => issuer.provider === provider)
      return provider.createVerifier(trusted, { ...ports, memory })
    })
    remembered = contents
    return { verifiers, subjectTokenTypes: new Set([...providers].flatMap((provider) => provider.subjectTokenTypes)) }
  }
}

/** What nobody recalls while the verifiers are made is forgotten with the document that needed it. */
function rememberFrom(before: ReadonlyMap<string, unknown>): {
  memory: Memory
  contents: ReadonlyMap<string, unknown>
} {
  const contents = new Map<string, unknown>()
  const recall = <T>(key: string, create: () => T): T => {
    const value = contents.has(key) ? contents.get(key) : before.has(key) ? before.get(key) : create()
    contents.set(key, value)
    return value as T
  }
  return { memory: { recall }, contents }
}
