/** How the broker is asked by the HTTP client that Node has had all along: by commands always, and by the library past a proxy. */

import { isThisMachine } from '../oauth/confidential-url.ts'
import type { BrokerAnswer, BrokerRequest } from './settings.ts'

/**
 * Posts a form, and follows no redirect. A broker on this machine is asked past every proxy of the environment: over plain http a
 * proxy would read the proof. Loading `fetch` would take 17 MiB of the 80 that an agent may have, for as long as it runs, and a third
 * of the time in which `chancery token` is to be done.
 */
export async function askBroker(endpoint: string, { headers, body, signal }: BrokerRequest): Promise<BrokerAnswer> {
  const { request, Agent } = endpoint.startsWith('https:') ? await import('node:https') : await import('node:http')
  const form = body.toString()
  const all = {
    ...headers,
    'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
    'content-length': String(Buffer.byteLength(form)),
  }
  // The global agent may go through a proxy, and one of our own never does.
  const direct = isThisMachine(new URL(endpoint)) ? { agent: new Agent({ keepAlive: false }) } : {}
  return await new Promise((resolve, reject) => {
    const sent = request(endpoint, { method: 'POST', headers: all, signal, ...direct }, (answer) => {
      const get = (name: string): string | null => answer.headersDistinct[name]?.join(', ') ?? null
      resolve({ status: answer.statusCode ?? 0, headers: { get }, body: answer })
    })
    sent.once('error', reject)
    sent.end(form)
  })
}
