/** What a developer reads first: where everything is, what to set, and what to try. */

import type { Cloud } from './clouds.ts'
import { toCommandLine, toShellLines, type Variables } from './environment-text.ts'
import { SAMPLE } from './sample-document.ts'

/** Everything that runs. */
export interface Scene {
  readonly issuer: string
  readonly clouds: readonly Cloud[]
  /** Files of workloads, by the cloud that keeps them. */
  readonly proofFiles: ReadonlyMap<string, string>
  readonly federation: string
  readonly audit: string
  /** What holds the environment for a shell. */
  readonly environment: string
}

/** Gives what leads the official SDKs of another process to the clouds, and our own commands to the broker. */
export function environmentOf({ issuer, clouds }: Pick<Scene, 'issuer' | 'clouds'>): Variables {
  return {
    ...Object.assign({}, ...clouds.map(({ standIn }) => standIn.environment)),
    CHANCERY_BROKER: issuer,
    CHANCERY_AUDIENCE: SAMPLE.audience,
  }
}

/** Gives the command that explains a refusal of this broker. */
export function explainCommand(scene: Scene, requestId: string): string {
  const { federation, issuer, audit, clouds } = scene
  const hosts = clouds.flatMap(({ standIn }) => standIn.hosts).join(',')
  const where = ['--federation', federation, '--issuer', issuer, '--insecure-host', hosts]
  return toCommandLine(['chancery', 'explain', ...where, '--audit', audit, '--request-id', requestId])
}

/** Gives the whole greeting. */
export function greet(scene: Scene): string {
  const { issuer, clouds, federation, audit, environment } = scene
  const places = [
    ['broker', issuer],
    ...clouds.map(({ name, standIn }) => [name, standIn.hosts.map((host) => `http://${host}`).join(' ')] as const),
    ['document', `${federation} (edit it: it is looked at every two seconds)`],
    ['audit', audit],
  ] as const
  return `A broker and a stand-in for each cloud, on this machine alone and for development alone. Ctrl-C ends them.

${places.map(([name, place]) => `  ${name.padEnd(12)}${place}\n`).join('')}
# In another terminal: what leads the official SDKs to the stand-ins
${toShellLines(environmentOf(scene))}# or: ${toCommandLine(['.', environment])}

# Then try
${commandsOf(scene)
  .map((command) => `${command}\n`)
  .join('')}
`
}

function commandsOf({ issuer, clouds, proofFiles }: Scene): readonly string[] {
  const tokens = clouds.map(({ name }) => {
    const file = proofFiles.get(name)
    return toCommandLine(['chancery', 'token', ...(file === undefined ? ['--provider', name] : ['--proof-file', file])])
  })
  const refused = `${tokens.at(-1) ?? ''} --audience reports     # is refused: see what is said here, and why`
  return [...tokens, refused, ...[...proofFiles.values()].map((file) => curlCommand(issuer, file))]
}

function curlCommand(issuer: string, file: string): string {
  const form = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    audience: SAMPLE.audience,
  }
  const fields = Object.entries(form).flatMap(([name, value]) => ['-d', `${name}=${value}`])
  return toCommandLine(['curl', '-s', `${issuer}/token`, ...fields, '--data-urlencode', `subject_token@${file}`])
}
