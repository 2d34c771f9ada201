/** Finds bindings that some proof would match together, whichever is the narrower: what documents and delegations may not have. */

import { type Binding, groupByShape, type Shape, type Territory } from './bindings.ts'
import { joinShapes } from './overlap.ts'

/** More than this many would only say the same again. */
const MAX_MEETINGS = 100

export interface Meeting {
  readonly one: Binding
  readonly other: Binding
}

/** Finds the pairs among one trusted issuer's bindings, each told once, the first by name as `one`. */
export function findMeetings(shapes: readonly Shape[]): readonly Meeting[] {
  const meetings = new Map<string, Meeting>()
  for (const [index, shape] of shapes.entries()) {
    for (const other of shapes.slice(index)) {
      for (const [left, right] of joinShapes(shape, other)) {
        if (meetings.size >= MAX_MEETINGS) return [...meetings.values()]
        const meeting = left.name < right.name ? { one: left, other: right } : { one: right, other: left }
        meetings.set(JSON.stringify([meeting.one.name, meeting.other.name]), meeting)
      }
    }
  }
  return [...meetings.values()]
}

/** Yields every pair of one of `ones` and one of `others`, of the same trusted issuer. A pair of lists may come several times. */
export function* meetingsBetween(ones: Iterable<Binding>, others: Iterable<Binding>): Generator<Meeting> {
  const groups = groupByShape(others)
  for (const [issuer, shapes] of groupByShape(ones)) {
    for (const shape of shapes) {
      for (const against of groups.get(issuer) ?? []) {
        for (const [one, other] of joinShapes(shape, against)) yield { one, other }
      }
    }
  }
}

/** Gives territories as bindings under their delegations' names, to be joined with others. */
export function asBindings(territories: readonly Territory[]): readonly Binding[] {
  return territories.map(({ delegation, trustedIssuer, match }) => {
    const parts = { identity: delegation, entry: delegation, isSuspended: false, isShadow: false }
    return { name: delegation, trustedIssuer, match, ...parts }
  })
}
