/** How STS writes answers and errors: XML, or JSON for whoever accepts it. */

import { randomUUID } from 'node:crypto'
import type { StandInAnswer, StandInRequest } from '../../kit/stand-in-server.ts'

/** An error that STS answers with. */
export class StsError extends Error {
  override readonly name = 'StsError'
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

/** The result of an action. Members that are undefined are left out. */
export interface StsResult {
  readonly [member: string]: string | Date | StsResult | undefined
}

export type StsFormat = 'xml' | 'json'

/** Gives the format that a client asks for. */
export function formatFor({ headers }: StandInRequest): StsFormat {
  return headers.accept?.includes('application/json') === true ? 'json' : 'xml'
}

/** Gives the answer of an action that succeeded. */
export function successAnswer(action: string, result: StsResult, format: StsFormat): StandInAnswer {
  const requestId = randomUUID()
  const content = { [`${action}Result`]: result, ResponseMetadata: { RequestId: requestId } }
  return answer(200, requestId, format, `${action}Response`, content)
}

/** Gives the answer of an action that failed. In JSON it has no envelope, and AWS's code beside it. */
export function errorAnswer({ status, code, message }: StsError, format: StsFormat): StandInAnswer {
  const requestId = randomUUID()
  const error = { Type: status < 500 ? 'Sender' : 'Receiver', Code: code, Message: message }
  const content = { Error: error, RequestId: requestId }
  if (format === 'xml') return answer(status, requestId, format, 'ErrorResponse', content)
  return { status, headers: headersFor(requestId, format), body: sorted(content) }
}

function answer(status: number, requestId: string, format: StsFormat, root: string, content: StsResult): StandInAnswer {
  const headers = headersFor(requestId, format)
  if (format === 'json') return { status, headers, body: { [root]: sorted(content) } }
  const open = `<${root} xmlns="https://sts.amazonaws.com/doc/2011-06-15/">`
  return { status, headers, body: `${open}\n${elements(content, '  ')}</${root}>\n` }
}

function headersFor(requestId: string, format: StsFormat): Record<string, string> {
  const contentType = format === 'json' ? 'application/json' : 'text/xml'
  return { 'x-amzn-requestid': requestId, 'content-type': contentType }
}

/** JSON answers have their members in the order of the alphabet, and times in seconds. */
function sorted(content: StsResult): object {
  const members = Object.entries(content)
    .filter(([, value]) => value !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => [name, jsonValue(value)])
  return Object.fromEntries(members)
}

function jsonValue(value: StsResult[string]): unknown {
  if (value instanceof Date) return value.getTime() / 1_000
  return typeof value === 'object' ? sorted(value) : value
}

function elements(content: StsResult, indent: string): string {
  return Object.entries(content)
    .map(([name, value]) => element(name, value, indent))
    .join('')
}

function element(name: string, value: StsResult[string], indent: string): string {
  if (value === undefined) return ''
  if (value instanceof Date) return element(name, formatTime(value), indent)
  if (typeof value === 'string') return `${indent}<${name}>${escapeXml(value)}</${name}>\n`
  return `${indent}<${name}>\n${elements(value, `${indent}  `)}${indent}</${name}>\n`
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** Gives a time without fractions of a second, as AWS writes it. */
export function formatTime(time: Date): string {
  return time.toISOString().replace(/\.\d{3}Z$/, 'Z')
}
