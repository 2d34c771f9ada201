/** How this workload can prove who it is: found out once, in one order, and with the reason. */

import type { ProviderName } from '../../providers/contract/proof.ts'
import type { ProverProvider } from '../../providers/contract/provider.ts'
import { type CloudName, findCloudAtMetadata } from './metadata-address.ts'
import { codeOf, PROJECTED_TOKEN_PATH } from './proof-file.ts'
import type { ClientPorts, ProofSettings } from './settings.ts'
import { TokenSourceError } from './token-source-error.ts'

/** Where it was learned how to prove, in the order in which they are asked. */
export const PROOF_SOURCES = ['setting', 'proof_file', 'projected_token', 'environment', 'metadata'] as const

/** One of {@link PROOF_SOURCES}. */
export type ProofSource = (typeof PROOF_SOURCES)[number]

/** A place that was looked at, and what was there. */
export interface ProofAttempt {
  readonly source: ProofSource
  readonly outcome: string
}

/** How this workload proves who it is, and why so. */
export interface ProofChoice {
  /** The platform; undefined for a file that may hold any platform's proof. */
  readonly provider: ProviderName | undefined
  readonly source: ProofSource
  /** One sentence. */
  readonly why: string
  /** The file that the proof is read from, where it is. */
  readonly file?: string
  /** What was looked at before, in order. */
  readonly tried: readonly ProofAttempt[]
}

/**
 * Finds out how to prove, in the order of {@link PROOF_SOURCES}: the first place that has an answer decides.
 *
 * Throws {@link TokenSourceError}: `platform_ambiguous` where a place has two answers, `platform_not_found` where none has one, with
 * all that was looked at, and `settings_invalid` where a platform and a file are both set.
 */
export async function findProof(
  settings: ProofSettings,
  loadProvers: () => Promise<readonly ProverProvider[]>,
  ports: ClientPorts,
  signal: AbortSignal,
): Promise<ProofChoice> {
  const set = chooseBySetting(settings)
  if (set !== undefined) return set
  const tried: ProofAttempt[] = [{ source: 'setting', outcome: 'no proof.provider, proof.file or CHANCERY_PROVIDER' }]
  const file = ports.environment.CHANCERY_PROOF_FILE || undefined
  if (file !== undefined) {
    return { provider: undefined, source: 'proof_file', why: 'CHANCERY_PROOF_FILE names a file', file, tried }
  }
  tried.push({ source: 'proof_file', outcome: 'CHANCERY_PROOF_FILE is not set' })
  const obstacle = await findObstacle(PROJECTED_TOKEN_PATH, ports)
  if (obstacle === undefined) {
    const why = `there is a projected token at ${PROJECTED_TOKEN_PATH}`
    return { provider: 'kubernetes', source: 'projected_token', why, file: PROJECTED_TOKEN_PATH, tried }
  }
  tried.push({ source: 'projected_token', outcome: `${PROJECTED_TOKEN_PATH} cannot be read (${obstacle})` })
  return (
    (await chooseByEnvironment(await loadProvers(), tried, ports)) ?? (await chooseByMetadata(tried, ports, signal))
  )
}

function chooseBySetting({ provider, file }: ProofSettings): ProofChoice | undefined {
  if (file !== undefined) {
    if (provider !== undefined && provider !== 'kubernetes') {
      const what = `proof.file and proof.provider ${provider} are both set`
      throw new TokenSourceError('settings_invalid', what, { advice: 'set one of them' })
    }
    return { provider, source: 'setting', why: 'proof.file is set', file, tried: [] }
  }
  if (provider === undefined) return undefined
  return { provider, source: 'setting', why: `proof.provider, or CHANCERY_PROVIDER, says ${provider}`, tried: [] }
}

async function findObstacle(path: string, { readFile }: ClientPorts): Promise<string | undefined> {
  try {
    await readFile(path)
    return undefined
  } catch (error) {
    return codeOf(error)
  }
}

async function chooseByEnvironment(
  provers: readonly ProverProvider[],
  tried: ProofAttempt[],
  { environment: env, readFile, now }: ClientPorts,
): Promise<ProofChoice | undefined> {
  const detected = provers.filter((prover) => prover.detect({ env, readFile, now })).map(({ name }) => name)
  // Every pod of every cloud has Kubernetes’ variables; they say where it is, and not that it has a token for us.
  const [cloud, ...others] = detected.filter((name) => name !== 'kubernetes')
  if (cloud !== undefined && others.length > 0) {
    const what = `the environment has the variables of ${[cloud, ...others].join(' and of ')}`
    throw new TokenSourceError('platform_ambiguous', what)
  }
  if (cloud !== undefined) {
    return { provider: cloud, source: 'environment', why: `the environment has the variables of ${cloud}`, tried }
  }
  tried.push({ source: 'environment', outcome: 'it has the variables of no cloud' })
  if (!detected.includes('kubernetes')) return undefined
  throw notFound(
    [...tried, { source: 'metadata', outcome: 'not asked, as in a pod it answers with the node’s identity' }],
    `this is a pod: ${PROJECT_A_TOKEN}, or name its cloud in proof.provider where pods have an identity of that cloud`,
  )
}

/** What a pod's manifest lacks where there is no projected token. */
export const PROJECT_A_TOKEN = `project a service account token with the broker’s audience to ${PROJECTED_TOKEN_PATH} (a volume with projected.sources.serviceAccountToken: audience, path "token", expirationSeconds 3600)`

async function chooseByMetadata(
  tried: readonly ProofAttempt[],
  { metadataOrigin }: ClientPorts,
  signal: AbortSignal,
): Promise<ProofChoice> {
  const { found, outcome } = await findCloudAtMetadata(metadataOrigin, signal)
  const [cloud, ...others] = found
  if (cloud === undefined) throw notFound([...tried, { source: 'metadata', outcome }])
  if (others.length > 0) {
    throw new TokenSourceError('platform_ambiguous', `the metadata address answers as ${found.join(' and as ')} do`)
  }
  return { provider: cloud, source: 'metadata', why: WHY[cloud], tried }
}

const WHY: Readonly<Record<CloudName, string>> = {
  aws: 'the metadata address opens a session of IMDSv2',
  azure: 'the metadata address describes a virtual machine of Azure',
  gcp: 'the metadata address answers with Metadata-Flavor: Google',
}

function notFound(tried: readonly ProofAttempt[], advice?: string): TokenSourceError {
  const list = tried.map(({ source, outcome }) => `${source}: ${outcome}`).join('; ')
  return new TokenSourceError('platform_not_found', `no way to prove who this workload is [${list}]`, { advice })
}
