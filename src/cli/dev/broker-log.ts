/** The broker's log, as far as it is of use to whoever changes the document. */

import type { Finding } from '../../federation/finding.ts'
import type { Screen } from './decision-line.ts'

/** A line of the log, as `createLog` writes it. */
interface LogLine {
  readonly level: string
  readonly msg: string
  readonly finding?: Finding
  readonly findings?: readonly Finding[]
  readonly bindings?: number
}

/** Gives what is to be said of a line of the log; nothing of most. */
export function tellLogLine(line: string, screen: Screen): string {
  const { paint, printable } = screen
  const { level, msg, finding, findings, bindings } = JSON.parse(line) as LogLine
  if (msg === 'document in force') return `${paint('green', 'document in force')}: ${bindings ?? 0} bindings\n`
  if (msg === 'document refused') {
    const found = (findings ?? []).filter(({ severity }) => severity === 'error')
    return `${paint('red', 'document refused')}: what was in force still is\n${found.map((each) => tellFinding(each, screen)).join('')}`
  }
  if (finding !== undefined) return `${paint('yellow', 'document')}:\n${tellFinding(finding, screen)}`
  return level === 'error' || level === 'fatal' ? `${paint('red', 'broker')}: ${printable(msg)}\n` : ''
}

function tellFinding({ path, message, code }: Finding, { printable }: Screen): string {
  const place = path === '' ? '' : `${path}: `
  return `    ${printable(`${place}${message} [${code}]`)}\n`
}
