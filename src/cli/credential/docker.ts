/** Docker's credential helper. */

import type { HelperAnswer, ObtainToken } from './answer.ts'
import { wrongly } from './answer.ts'
import { type AllowedHost, findHost } from './hosts.ts'

/** The user name that marks a secret as an identity token: Docker hands it to the registry's token service, and to nobody else. */
export const IDENTITY_TOKEN_USER = '<token>'

/** Sentences that Docker's client knows, to the letter. */
const NOT_FOUND = 'credentials not found in native keychain'
const NO_SERVER = 'no credentials server URL'

const KEEPS_NOTHING =
  'chancery keeps no credentials: it gets a token whenever Docker asks for one, so there is no login'

export interface DockerHelper {
  readonly hosts: readonly AllowedHost[]
  readonly username: string
  readonly obtain: ObtainToken
}

/**
 * Answers `get` for a registry that was named, and `list`. Refuses `store` and `erase`. Docker reads what went wrong from standard
 * output.
 *
 * @see {@link https://github.com/docker/docker-credential-helpers#development docker-credential-helpers}
 */
export async function answerDocker(
  operation: string,
  helper: DockerHelper,
  read: () => Promise<string>,
): Promise<HelperAnswer> {
  switch (operation) {
    case 'get':
      return await get((await read()).trim(), helper)
    case 'list': {
      const users = Object.fromEntries(helper.hosts.map(({ host }) => [host, helper.username]))
      return { ending: 'done', out: `${JSON.stringify(users)}\n` }
    }
    case 'store':
    case 'erase':
      return refused(KEEPS_NOTHING)
    default:
      throw wrongly('docker', `"${operation}" is none of get, list, store and erase`)
  }
}

async function get(server: string, { hosts, username, obtain }: DockerHelper): Promise<HelperAnswer> {
  if (server === '') return refused(NO_SERVER)
  const host = hostOfServer(server)
  const allowed = host === undefined ? undefined : findHost(hosts, host)
  if (allowed === undefined) return refused(NOT_FOUND)
  const outcome = await obtain(allowed.audience)
  if ('failure' in outcome) return refused(`chancery: ${outcome.failure.message}`, outcome.failure.ending)
  const credential = { ServerURL: server, Username: username, Secret: outcome.got.accessToken }
  return { ending: 'done', out: `${JSON.stringify(credential)}\n` }
}

function refused(message: string, ending: HelperAnswer['ending'] = 'refused'): HelperAnswer {
  return { ending, out: `${message}\n` }
}

/**
 * Gives the host that Docker asks about; undefined for none, and for one over plain http. A path, as Docker Hub's `/v1/`, says
 * nothing of whom the token reaches.
 */
export function hostOfServer(server: string): string | undefined {
  const [, scheme = 'https', host] = /^(?:([a-z]+):\/\/)?([^/\s]+)(?:\/\S*)?$/i.exec(server) ?? []
  return scheme.toLowerCase() === 'https' ? host : undefined
}
