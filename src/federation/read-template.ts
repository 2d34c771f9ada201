/** What a template may take, so that nobody can choose whom it makes of them. */

import type { VerifierProvider } from '../../providers/contract/provider.ts'
import { type Complaint, complain, warn } from './finding.ts'
import type { Condition, Match } from './match.ts'
import { attributesOfTemplate, isSegment, isTemplate } from './template.ts'

/**
 * Says what is wrong with the template of a binding.
 *
 * Refuses an attribute that the platform does not have or that its caller may choose, and one that the binding asks for in a
 * form that is never a segment: such a binding could only refuse.
 */
export function findTemplateComplaints(
  provider: Pick<VerifierProvider<unknown>, 'name' | 'attributes'>,
  path: readonly string[],
  template: string,
  match: Match,
): readonly Complaint[] {
  if (!isTemplate(template)) return []
  return attributesOfTemplate(template).flatMap((name) => {
    const attribute = provider.attributes.get(name)
    if (attribute === undefined) {
      return [complain(path, 'attribute_unknown', `${provider.name} proofs have no attribute ${name} to take`)]
    }
    if (attribute.grade === 'caller') {
      return [complain(path, 'template_chosen', `${name} is the caller’s to say, so that it could choose who it is`)]
    }
    const caution = attribute.caution === undefined ? [] : [warn(path, 'attribute_cautioned', attribute.caution)]
    const impossible = valuesOf(match.get(name)).find((value) => !isSegment(value))
    if (impossible === undefined) return caution
    const message = `${JSON.stringify(impossible)} makes no name: a segment is a-z, 0-9, ".", "_" and "-", at most 63 of them`
    return [...caution, complain(path, 'template_impossible', message)]
  })
}

function valuesOf(condition: Condition | undefined): readonly string[] {
  if (condition === undefined) return []
  return condition.kind === 'exact' ? condition.values : [`${condition.prefix}0`]
}
