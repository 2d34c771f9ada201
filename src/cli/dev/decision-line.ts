/** What was decided, in one line for whoever watches. */

import { styleText } from 'node:util'
import type { AuditRecord } from '../../audit/record.ts'
import { printable } from '../printable.ts'

/** Paints a text. */
export type Paint = (colour: 'green' | 'red' | 'yellow' | 'dim' | 'bold', text: string) => string

/** Paints where standard output is a terminal and nobody said `NO_COLOR`. */
export const paintForTerminal: Paint = (colour, text) => styleText(colour, text, { stream: process.stdout })

/** Width of the time and of the decision, so that what follows stands in columns. */
const DECISION_WIDTH = 'refused'.length

/**
 * Gives the line of one audit record: time, decision, who got what for whom or why not, where the proof came from, and the request id.
 * A refusal has a second line, the command that explains it.
 */
export function toDecisionLine(record: AuditRecord, explain: (requestId: string) => string, paint: Paint): string {
  const { decision, request_id: requestId } = record
  const isIssued = decision === 'issued'
  const head = [
    paint('dim', record.time.slice(11, 23)),
    paint(isIssued ? 'green' : 'red', decision.padEnd(DECISION_WIDTH)),
    isIssued ? tellGrant(record) : tellRefusal(record, paint),
    tellProof(record),
    paint('dim', requestId),
  ]
  const line = head.filter((part) => part !== '').join('  ')
  return isIssued ? `${line}\n` : `${line}\n    why: ${explain(requestId)}\n`
}

function tellGrant({ identity, audience, scope }: AuditRecord): string {
  const scopes = scope === null || scope === '' ? '' : ` [${scope}]`
  return printable(`${identity} -> ${audience}${scopes}`)
}

function tellRefusal({ reason, identity, audience }: AuditRecord, paint: Paint): string {
  const wish = [identity, audience].filter((part) => part !== null).join(' -> ')
  return [paint('bold', reason ?? ''), printable(wish)].filter((part) => part !== '').join('  ')
}

function tellProof({ trusted_issuer: name, subject }: AuditRecord): string {
  return printable([name, subject].filter((part) => part !== null).join(': '))
}
