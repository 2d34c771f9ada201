/** Asks an agent, as a program of its machine does. */

import { type IncomingHttpHeaders, request } from 'node:http'

export interface AgentReply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly json: Readonly<Record<string, unknown>>
}

/** How a request differs from a right one. An undefined header is left out. */
export interface Bend {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>
}

/** Sends one request to a socket file, or to a port of loopback. */
export function askSocket(place: string | number, path: string, bend: Bend = {}): Promise<AgentReply> {
  const where = typeof place === 'string' ? { socketPath: place } : { host: '127.0.0.1', port: place }
  const all = { host: 'localhost', 'x-chancery-agent': '1', ...bend.headers }
  const headers = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().flatMap((each) => [name, each]),
  )
  return new Promise((resolve, reject) => {
    const sent = request({ ...where, path, method: bend.method ?? 'GET', headers, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => void chunks.push(chunk))
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        const json = text.startsWith('{') ? (JSON.parse(text) as Readonly<Record<string, unknown>>) : {}
        resolve({ status: response.statusCode ?? 0, headers: response.headers, json })
      })
    })
    sent.on('error', reject)
    sent.end()
  })
}
