/** A service on loopback, over TLS that only whoever is told trusts, which keeps what it was sent as `Authorization`. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type StandInAnswer, type StandInRequest, startStandInServer } from '../../providers/kit/stand-in-server.ts'
import { createAuthority } from './certificates.ts'

export interface AskingServer {
  readonly origin: string
  readonly host: string
  /** The authority's certificate, in PEM. */
  readonly authority: string
  /** The file that it lies in. */
  readonly authorityFile: string
  /** The `Authorization` of every request so far; an empty text where there was none. */
  readonly authorizations: readonly string[]
  readonly requests: readonly StandInRequest[]
  close(): Promise<void>
}

/** Starts it. The authority's certificate goes into a directory. */
export async function startAskingServer(
  directory: string,
  route: (request: StandInRequest) => StandInAnswer,
): Promise<AskingServer> {
  const authority = createAuthority('authority')
  const server = await startStandInServer({ route, tls: authority.issue({ hostnames: ['127.0.0.1'] }) })
  const authorityFile = join(directory, 'authority.pem')
  writeFileSync(authorityFile, authority.cert)
  const { origin, host, requests, close } = server
  return {
    origin,
    host,
    requests,
    close,
    authority: authority.cert,
    authorityFile,
    get authorizations() {
      return requests.map(({ headers }) => headers.authorization ?? '')
    },
  }
}

/** Gives the token of an `Authorization: Bearer`; an empty text for anything else. */
export function bearerOf(authorization: string | undefined): string {
  return /^Bearer (\S+)$/.exec(authorization ?? '')?.[1] ?? ''
}
