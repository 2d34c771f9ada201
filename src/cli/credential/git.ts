/** Git's credential helper. */

import type { ServiceToken } from '../../client/client.ts'
import { failed, type HelperAnswer, type ObtainToken, wrongly } from './answer.ts'
import { type AllowedHost, findHost } from './hosts.ts'

/** How Git is to send the token: as a password, or as RFC 6750 says, which Git can from 2.46 on. */
const GIT_AUTHORIZATIONS = ['basic', 'bearer'] as const

export type GitAuthorization = (typeof GIT_AUTHORIZATIONS)[number]

/** The user name beside a token that stands for a password, where Git knows none: forges look at the token alone. */
export const GIT_USERNAME = 'oauth2'

/** What Git says of the credential that it wants. */
export interface GitRequest {
  readonly protocol: string | undefined
  /** With its port, where the URL has one. */
  readonly host: string | undefined
  readonly username: string | undefined
  readonly capabilities: readonly string[]
}

/**
 * Reads a request: `key=value` lines up to an empty one. Refuses a line that is none, a control character, and an attribute that is
 * named twice: URLs with an encoded line feed have made Git ask for one host and helpers answer for another.
 *
 * @see {@link https://git-scm.com/docs/git-credential#IOFMT git-credential, input/output format}
 * @see {@link https://nvd.nist.gov/vuln/detail/CVE-2020-5260 CVE-2020-5260}
 */
export function parseGitRequest(text: string): GitRequest {
  const [lines = ''] = text.split('\n\n', 1)
  const pairs = lines
    .split('\n')
    .filter((line) => line !== '')
    .map(parsePair)
  const only = (name: string): string | undefined => {
    const values = pairs.filter((pair) => pair.name === name).map(({ value }) => value)
    if (values.length > 1) throw wrongly('git', `the request names ${name} twice`)
    return values[0]
  }
  const capabilities = pairs.filter(({ name }) => name === 'capability[]').map(({ value }) => value)
  return { protocol: only('protocol'), host: only('host'), username: only('username'), capabilities }
}

function parsePair(line: string): { readonly name: string; readonly value: string } {
  const at = line.indexOf('=')
  if (at < 1 || /\p{Cc}/u.test(line)) throw wrongly('git', 'the request has a line that is not key=value')
  return { name: line.slice(0, at), value: line.slice(at + 1) }
}

export interface GitHelper {
  readonly hosts: readonly AllowedHost[]
  readonly authorization: GitAuthorization
  readonly username: string
  readonly obtain: ObtainToken
}

/** Tells Git to ask neither another helper nor a person: nobody knows a password for a host that takes our tokens. */
const QUIT = 'quit=1\n'

/**
 * Answers `get` for a host that was named, over https. Any other host gets no answer, and Git asks its next helper.
 *
 * @see {@link https://git-scm.com/docs/gitcredentials#_custom_helpers gitcredentials, custom helpers}
 */
export async function answerGit(
  { protocol, host, username, capabilities }: GitRequest,
  helper: GitHelper,
): Promise<HelperAnswer> {
  const allowed = host === undefined ? undefined : findHost(helper.hosts, host)
  if (allowed === undefined) return { ending: 'done' }
  if (protocol !== 'https') {
    return { ending: 'done', err: `chancery: git: ${allowed.host} gets a token over https alone\n` }
  }
  if (helper.authorization === 'bearer' && !capabilities.includes('authtype')) {
    const message = 'git: this Git cannot send a Bearer header: take 2.46 or later, or --authorization basic'
    return failed({ ending: 'wrong', code: 'git_too_old', message }, QUIT)
  }
  const outcome = await helper.obtain(allowed.audience)
  if ('failure' in outcome) return failed(outcome.failure, QUIT)
  return { ending: 'done', out: writeCredential(outcome.got, helper.authorization, username ?? helper.username) }
}

/** Git forgets the credential when it expires, and stores one that is ephemeral nowhere. */
function writeCredential(
  { accessToken, expiresAt }: ServiceToken,
  authorization: GitAuthorization,
  username: string,
): string {
  const credential =
    authorization === 'bearer'
      ? ['capability[]=authtype', 'authtype=Bearer', `credential=${accessToken}`, 'ephemeral=1']
      : [`username=${username}`, `password=${accessToken}`]
  return `${[...credential, `password_expiry_utc=${expiresAt}`].join('\n')}\n`
}
