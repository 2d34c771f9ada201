/** Which names the platform document gives, so that no team can give one of them. */

import type { FederationDocument } from './document.ts'

export interface TakenNames {
  /** Gives an entry of the platform's that gives a name which an entry of this name would give too; undefined where there is none. */
  find(name: string): string | undefined
}

/** Registers the names of a document's identities, one by one and below each path. */
export function createTakenNames(identities: FederationDocument['identities']): TakenNames {
  let below: ReadonlyMap<string, string> | undefined
  return {
    find(name) {
      if (Object.hasOwn(identities, name)) return name
      const above = pathsOf(name).find((path) => Object.hasOwn(identities, `${path}/*`))
      if (above !== undefined) return `${above}/*`
      if (!name.endsWith('/*')) return undefined
      below ??= new Map(
        Object.keys(identities).flatMap((taken) => pathsOf(taken).map((path) => [path, taken] as const)),
      )
      return below.get(name.slice(0, -2))
    },
  }
}

/** Gives the paths that a name lies below. */
function pathsOf(name: string): readonly string[] {
  const segments = name.split('/')
  return segments.slice(1).map((_, index) => segments.slice(0, index + 1).join('/'))
}
