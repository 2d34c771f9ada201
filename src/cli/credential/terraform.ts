/** Terraform's credentials helper. */

import { failed, type HelperAnswer, type ObtainToken, wrongly } from './answer.ts'
import { type AllowedHost, findHost } from './hosts.ts'

const KEEPS_NOTHING =
  'chancery keeps no credentials: it gets a token whenever Terraform asks for one, so there is no login\n'

export interface TerraformHelper {
  readonly hosts: readonly AllowedHost[]
  readonly obtain: ObtainToken
}

/**
 * Answers `get HOST` with a token for a host that was named, and with the empty object, which says that there is none, for any
 * other. Refuses `store` and `forget`.
 *
 * @see {@link https://developer.hashicorp.com/terraform/internals/credentials-helpers Credentials helpers}
 */
export async function answerTerraform(
  operation: string,
  host: string | undefined,
  helper: TerraformHelper,
): Promise<HelperAnswer> {
  if (operation === 'store' || operation === 'forget') return { ending: 'refused', err: KEEPS_NOTHING }
  if (operation !== 'get') throw wrongly('terraform', `"${operation}" is none of get, store and forget`)
  if (host === undefined) throw wrongly('terraform', 'get: for which host?')
  const allowed = findHost(helper.hosts, host)
  if (allowed === undefined) return { ending: 'done', out: '{}\n' }
  const outcome = await helper.obtain(allowed.audience)
  if ('failure' in outcome) return failed(outcome.failure)
  return { ending: 'done', out: `${JSON.stringify({ token: outcome.got.accessToken })}\n` }
}
