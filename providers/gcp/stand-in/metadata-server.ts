/** The metadata server that every workload of Google finds at a link-local address. */

import type { Claims } from '../../kit/stand-in-keys.ts'
import type { StandInAnswer, StandInRequest } from '../../kit/stand-in-server.ts'
import { ACCESS_TOKEN_SECONDS, type CloudState } from './cloud-state.ts'
import type { TokenWish, Workload } from './tokens.ts'

export interface MetadataPorts {
  readonly state: CloudState
  readonly workload: () => Workload
  readonly claimsFor: (wish: TokenWish) => Claims
  readonly sign: (claims: Claims) => Promise<string>
}

const ROOT = '/computeMetadata/v1/'

/** What it answers with whatever it says, and what clients know it by. */
const HEADERS = {
  'metadata-flavor': 'Google',
  server: 'Metadata Server for VM',
  'x-xss-protection': '0',
  'x-frame-options': 'SAMEORIGIN',
}

/** Whether a path is the metadata server's; its root answers whoever wants to know what it is. */
export function isMetadataPath(path: string): boolean {
  return path === '/' || path.startsWith('/computeMetadata/')
}

/**
 * Answers as the real one does.
 *
 * Refuses requests without `Metadata-Flavor: Google`, which no browser and few confused deputies send, and those that somebody
 * forwarded.
 *
 * @see {@link https://cloud.google.com/compute/docs/metadata/querying-metadata Compute Engine: query metadata}
 */
export async function answerMetadata(request: StandInRequest, ports: MetadataPorts): Promise<StandInAnswer> {
  if (request.path === '/') return text('computeMetadata/\n')
  if (request.headers['x-forwarded-for'] !== undefined) return { status: 403, body: 'Forbidden' }
  if (request.headers['metadata-flavor'] !== 'Google') {
    return { status: 403, body: 'Missing Metadata-Flavor:Google header.' }
  }
  const key = request.path.startsWith(ROOT) ? request.path.slice(ROOT.length) : ''
  const [, who, what] = /^instance\/service-accounts\/([^/]+)\/(.*)$/.exec(key) ?? []
  if (who !== undefined && what !== undefined) return await answerAccount(who, what, request, ports)
  const value = readTree(ports.workload()).get(key)
  if (value !== undefined) return text(value)
  // A directory without its slash is answered with a redirect, and followed by every client.
  return DIRECTORIES.includes(key) ? redirect(`${request.path}/`) : failure(404, 'Not Found')
}

const DIRECTORIES = ['instance', 'project', 'instance/service-accounts']

function readTree({ account, instance, place }: Workload): ReadonlyMap<string, string> {
  return new Map([
    ['', 'instance/\nproject/\n'],
    ['project/', 'numeric-project-id\nproject-id\n'],
    ['project/project-id', instance.project_id],
    ['project/numeric-project-id', String(instance.project_number)],
    ['instance/', 'attributes/\nid\nservice-accounts/\nzone\n'],
    ['instance/id', instance.instance_id],
    ['instance/zone', `projects/${instance.project_number}/zones/${instance.zone}`],
    ['instance/service-accounts/', `${account}/\ndefault/\n`],
    ...(place === 'vm' ? ([['instance/name', instance.instance_name]] as const) : []),
    ...(place === 'gke_pod' ? ([['instance/attributes/cluster-name', 'cluster-1']] as const) : []),
  ])
}

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform'

async function answerAccount(
  who: string,
  what: string,
  request: StandInRequest,
  ports: MetadataPorts,
): Promise<StandInAnswer> {
  const { account: email } = ports.workload()
  const account = ports.state.serviceAccount(email)
  if (account === undefined || (who !== 'default' && who !== email)) return failure(404, 'Not Found')
  switch (what) {
    case '':
      return request.query.get('recursive') === 'true'
        ? json({ aliases: ['default'], email, scopes: [SCOPE] })
        : text('aliases\nemail\nidentity\nscopes\ntoken\n')
    case 'email':
      return text(email)
    case 'aliases':
      return text('default\n')
    case 'scopes':
      return text(`${SCOPE}\n`)
    case 'token':
      return json({
        access_token: ports.state.createAccessToken(email),
        expires_in: ACCESS_TOKEN_SECONDS,
        token_type: 'Bearer',
      })
    case 'identity':
      return await answerIdentity(request, ports)
    default:
      return failure(404, 'Not Found')
  }
}

async function answerIdentity({ query }: StandInRequest, ports: MetadataPorts): Promise<StandInAnswer> {
  const audience = query.get('audience') ?? ''
  if (audience === '') return failure(400, 'non-empty audience parameter required')
  const wish: TokenWish = {
    audience,
    format: query.get('format') === 'full' ? 'full' : 'standard',
    licenses: query.get('licenses')?.toUpperCase() === 'TRUE',
  }
  return {
    status: 200,
    headers: { ...HEADERS, 'content-type': 'text/html' },
    body: await ports.sign(ports.claimsFor(wish)),
  }
}

function text(body: string): StandInAnswer {
  return { status: 200, headers: { ...HEADERS, 'content-type': 'application/text' }, body }
}

function json(body: object): StandInAnswer {
  return { status: 200, headers: { ...HEADERS, 'content-type': 'application/json' }, body }
}

function redirect(location: string): StandInAnswer {
  return { status: 301, headers: { ...HEADERS, location } }
}

function failure(status: number, body: string): StandInAnswer {
  return { status, headers: { ...HEADERS, 'content-type': 'text/html; charset=UTF-8' }, body }
}
