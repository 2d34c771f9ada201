/** The exec plugin of kubectl, and of whatever else reads a kubeconfig. */

import { isJsonObject, memberOf, readJsonObject } from '../../../providers/contract/strict-json.ts'
import type { ServiceToken } from '../../client/client.ts'
import { failed, type HelperAnswer, type ObtainToken, wrongly } from './answer.ts'

/** What a Kubernetes client says of itself, and of the cluster where the kubeconfig has `provideClusterInfo`. */
export interface ExecInfo {
  readonly apiVersion: string
  readonly server: string | undefined
}

const API_VERSIONS = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1']

/**
 * Reads `KUBERNETES_EXEC_INFO`. Without it, a person looks at the answer, or Node's client library does; it is then of the current
 * version. Refuses what no
 * client writes, and a version that is gone.
 *
 * @see {@link https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins client-go credential plugins}
 */
export function parseExecInfo(text = ''): ExecInfo {
  if (text === '') return { apiVersion: 'client.authentication.k8s.io/v1', server: undefined }
  const info = readJsonObject(text, 16)
  if (info === undefined) throw notOurs()
  const apiVersion = memberOf(info, 'apiVersion')
  if (memberOf(info, 'kind') !== 'ExecCredential' || typeof apiVersion !== 'string') throw notOurs()
  if (!API_VERSIONS.includes(apiVersion)) {
    throw wrongly('kubectl', `the kubeconfig’s exec.apiVersion must be one of ${API_VERSIONS.join(', ')}`)
  }
  const spec = memberOf(info, 'spec')
  const cluster = isJsonObject(spec) ? memberOf(spec, 'cluster') : undefined
  const server = isJsonObject(cluster) ? memberOf(cluster, 'server') : undefined
  return { apiVersion, server: typeof server === 'string' ? server : undefined }
}

function notOurs() {
  return wrongly('kubectl', 'KUBERNETES_EXEC_INFO is not an ExecCredential')
}

const NOBODY_SAYS =
  'nobody says which it is: set provideClusterInfo: true or, for a client that does not know it, leave --server out'

/** Gives a token for an API server; where one is named, for that one alone. */
export async function answerKubectl(
  { apiVersion, server }: ExecInfo,
  onlyServer: string | undefined,
  obtain: ObtainToken,
): Promise<HelperAnswer> {
  if (onlyServer !== undefined && server !== onlyServer) {
    const who = server === undefined ? NOBODY_SAYS : 'another one asks'
    throw wrongly('kubectl', `only the API server ${onlyServer} gets a token, and ${who}`)
  }
  const outcome = await obtain(undefined)
  if ('failure' in outcome) return failed(outcome.failure)
  return { ending: 'done', out: writeExecCredential(apiVersion, outcome.got) }
}

function writeExecCredential(apiVersion: string, { accessToken, expiresAt }: ServiceToken): string {
  const expirationTimestamp = new Date(expiresAt * 1_000).toISOString().replace('.000Z', 'Z')
  const status = { token: accessToken, expirationTimestamp }
  return `${JSON.stringify({ apiVersion, kind: 'ExecCredential', status })}\n`
}
