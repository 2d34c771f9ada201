/** What was decided, in one line for whoever watches. */

import type { AuditRecord } from '../../audit/record.ts'

/** How a text gets onto a screen. */
export interface Screen {
  /** Gives the text in a colour, where the screen has colours. */
  readonly paint: (colour: 'green' | 'red' | 'yellow' | 'dim' | 'bold', text: string) => string
  /** Gives a text that others chose as what a screen only shows. */
  readonly printable: (text: string) => string
}

/** Width of the time and of the decision, so that what follows stands in columns. */
const DECISION_WIDTH = 'refused'.length

/**
 * Gives the line of one audit record: time, decision, who got what for whom or why not, where the proof came from, and the request id.
 * A refusal has a second line, the command that explains it.
 */
export function toDecisionLine(record: AuditRecord, explain: (requestId: string) => string, screen: Screen): string {
  const { paint } = screen
  const { decision, request_id: requestId } = record
  const isIssued = decision === 'issued'
  const head = [
    paint('dim', record.time.slice(11, 19)),
    paint(isIssued ? 'green' : 'red', decision.padEnd(DECISION_WIDTH)),
    isIssued ? tellGrant(record, screen) : tellRefusal(record, screen),
    tellProof(record, screen),
    paint('dim', requestId),
  ]
  const line = head.filter((part) => part !== '').join('  ')
  return isIssued ? `${line}\n` : `${line}\n    why: ${explain(requestId)}\n`
}

function tellGrant({ identity, audience, scope }: AuditRecord, { printable }: Screen): string {
  const scopes = scope === null || scope === '' ? '' : ` [${scope}]`
  return printable(`${identity} -> ${audience}${scopes}`)
}

function tellRefusal({ reason, identity, audience }: AuditRecord, { paint, printable }: Screen): string {
  const wish = [identity, audience].filter((part) => part !== null).join(' -> ')
  return [paint('bold', reason ?? ''), printable(wish)].filter((part) => part !== '').join('  ')
}

function tellProof({ trusted_issuer: name, subject }: AuditRecord, { printable }: Screen): string {
  return printable([name, subject].filter((part) => part !== null).join(': '))
}
