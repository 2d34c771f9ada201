/** Identity names of which segments are taken from a proof, such as `preview/{kubernetes.namespace}`: whole segments or nothing. */

import type { Attributes } from '../../providers/contract/proof.ts'

/** Longest name of an identity. With the longest trust domain its SPIFFE ID has 520 bytes, of the 2,048 that may be used. */
const MAX_NAME_LENGTH = 255

/** What may stand between two slashes of a name. It begins with a letter or digit, so that it is never `.` or `..`. */
export const SEGMENT = /^[a-z0-9][a-z0-9._-]{0,62}$/

/** A segment to be filled in, or one that stands there. */
const PART = /\{([^{}]+)\}|[^/{}]+/g

/** Why no name came of a template. `found` is null where the proof does not have the attribute. */
export interface TemplateFault {
  readonly attribute: string
  readonly found: string | null
  readonly why: 'missing' | 'no_segment' | 'too_long'
}

export type Expansion =
  | { readonly isMade: true; readonly name: string }
  | { readonly isMade: false; readonly fault: TemplateFault }

/** Answers whether a name has segments to be filled in. */
export function isTemplate(name: string): boolean {
  return name.includes('{')
}

/** Answers whether a text can be one segment of an identity's name. */
export function isSegment(text: string): boolean {
  return SEGMENT.test(text)
}

/** Gives the attributes that a template takes, in its order. */
export function attributesOfTemplate(template: string): readonly string[] {
  return [...template.matchAll(PART)].flatMap(([, attribute]) => (attribute === undefined ? [] : [attribute]))
}

/** Gives the segments that stand before the first one to be filled in. */
export function fixedSegments(template: string): readonly string[] {
  const segments = template.split('/')
  const first = segments.findIndex(isTemplate)
  return first < 0 ? segments : segments.slice(0, first)
}

/**
 * Fills in a template. A name that is none stays as it is.
 *
 * Nothing is escaped, cut or folded: a value that is no segment as it stands, or makes the name too long, makes no name.
 */
export function expand(template: string, attributes: Attributes): Expansion {
  if (!isTemplate(template)) return { isMade: true, name: template }
  const segments: string[] = []
  for (const [text, attribute] of template.matchAll(PART)) {
    const value = attribute === undefined ? text : attributes.get(attribute)
    if (value === undefined) return failed(attribute, undefined, 'missing')
    if (!isSegment(value)) return failed(attribute, value, 'no_segment')
    segments.push(value)
    if (segments.join('/').length > MAX_NAME_LENGTH) return failed(attribute, value, 'too_long')
  }
  return { isMade: true, name: segments.join('/') }
}

function failed(attribute: string | undefined, found: string | undefined, why: TemplateFault['why']): Expansion {
  return { isMade: false, fault: { attribute: attribute ?? '', found: found ?? null, why } }
}
