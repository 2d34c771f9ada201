/**
 * The one address at which this process's SDK asks for managed identities.
 *
 * MSAL (msal-node 7.2.3) reads `IDENTITY_ENDPOINT` and `IDENTITY_HEADER` when the process first asks, and goes by them until it ends:
 * both, and all tokens, are kept in static members that nothing clears, so that a new credential changes nothing. Stand-ins come and
 * go, and several may run at once. So a process has one address for all of them, kept for its life, behind which the client id in the
 * request says whose it is. The same id keeps tokens of one stand-in apart from another's in MSAL's cache: each has an identity of
 * its own.
 */

import { randomUUID } from 'node:crypto'
import { createServer, request as forward, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { lendEnvironment } from '../../kit/stand-in-environment.ts'
import { APP_SERVICE_PATH } from './identity-endpoints.ts'

/** What every stand-in of this process expects in `X-IDENTITY-HEADER`. */
export const PROCESS_IDENTITY_HEADER = randomUUID()

/** Where each client id's requests go: the origin of its stand-in. */
const origins = new Map<string, string>()
let address: Promise<string> | undefined
let giveBack: (() => void) | undefined

/**
 * Leads this process's SDK to a stand-in for the tokens of one client id. The environment is lent with the first of them, and given
 * back with the last.
 */
export async function leadProcessTo(
  origin: string,
  clientId: string,
): Promise<{ readonly environment: Readonly<Record<string, string>>; release(): void }> {
  address ??= startRelay()
  const environment = {
    IDENTITY_ENDPOINT: `${await address}${APP_SERVICE_PATH}`,
    IDENTITY_HEADER: PROCESS_IDENTITY_HEADER,
  }
  if (origins.size === 0) giveBack = lendEnvironment({ ...environment, ...OTHER_SOURCES })
  origins.set(clientId, origin)
  return {
    environment,
    release() {
      if (origins.delete(clientId) && origins.size === 0) giveBack?.()
    },
  }
}

/** What would make the SDK ask somebody else, on a machine that is itself in Azure. */
export const OTHER_SOURCES = {
  AZURE_FEDERATED_TOKEN_FILE: undefined,
  IDENTITY_SERVER_THUMBPRINT: undefined,
  AZURE_AUTHORITY_HOST: undefined,
}

/** Starts a relay that lasts as long as the process, and does not make it last. */
async function startRelay(): Promise<string> {
  const server: Server = createServer(relay)
  server.on('connection', (socket) => socket.unref())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  server.unref()
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function relay(incoming: IncomingMessage, response: ServerResponse): void {
  const { searchParams } = new URL(incoming.url ?? '/', 'http://relay')
  const origin = origins.get(searchParams.get('client_id') ?? '')
  if (origin === undefined) {
    response.writeHead(400).end()
    return
  }
  const onward = forward(`${origin}${incoming.url ?? '/'}`, { headers: incoming.headers, agent: false })
  onward.on('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(response)
  })
  // A stand-in that is down is down for the caller too.
  onward.on('error', () => response.destroy())
  onward.end()
}
