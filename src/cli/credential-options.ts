/** What the helpers of Git, Docker and Terraform take beside the workload's options. */

import type { Command } from 'commander'
import { type Environment, processEnvironment } from '../client/environment.ts'
import { type AllowedHost, parseHosts } from './credential/hosts.ts'
import { UsageError } from './exit.ts'
import { addWorkloadOptions, type WorkloadOptions } from './workload-options.ts'

export interface HelperOptions extends WorkloadOptions {
  readonly host?: readonly string[]
  readonly username?: string
}

/** Adds the workload's options and `--host`. */
export function addHelperOptions(command: Command): Command {
  return addWorkloadOptions(command).option(
    '--host <HOST[=AUDIENCE]>',
    'a host that gets a token, and for which audience; a list, or repeated [CHANCERY_CREDENTIAL_HOSTS]',
    (text: string, before: readonly string[] | undefined) => [...(before ?? []), ...splitHosts(text)],
  )
}

/** Gives the hosts of the options, else those of the environment. */
export function allowedHosts(
  { host }: HelperOptions,
  environment: Environment = processEnvironment(),
): readonly AllowedHost[] {
  return parseHosts(host ?? splitHosts(environment.CHANCERY_CREDENTIAL_HOSTS ?? ''))
}

/**
 * Gives the user name of the options, else that of the environment. Throws {@link UsageError} for a control character: a line feed
 * would tell Git something else than a name.
 */
export function usernameOf(
  { username }: HelperOptions,
  byDefault: string,
  environment: Environment = processEnvironment(),
): string {
  const name = username ?? (environment.CHANCERY_CREDENTIAL_USERNAME || byDefault)
  if (/\p{Cc}/u.test(name)) throw new UsageError('--username: a name has no control character')
  return name
}

function splitHosts(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter((entry) => entry !== '')
}
