/** Gets a proof for one exchange, by whatever was found. */

import { ProofError, SettingsError } from '../../providers/contract/errors.ts'
import type { Prover, ProverPorts, ProverProvider } from '../../providers/contract/provider.ts'
import { findProof, PROJECT_A_TOKEN, type ProofChoice } from './find-proof.ts'
import { codeOf, readProofFile, type WorkloadProof } from './proof-file.ts'
import type { ClientPorts, ProofSettings } from './settings.ts'
import { TokenSourceError } from './token-source-error.ts'

/** Time for one proof, in seconds: SDKs ask several places in turn. */
const PROOF_SECONDS = 15

/** This workload's way to prove who it is. */
export interface WorkloadProver {
  /** Tells how it proves. What was found once stays; where nothing was found, it is looked for again. */
  choose(signal: AbortSignal): Promise<ProofChoice>
  /** Gives a new proof. None is ever kept, as some are good for one exchange. */
  prove(signal: AbortSignal): Promise<WorkloadProof>
}

/**
 * Creates it. The list of provers is loaded where no file decides, and a platform's SDK when that platform is to prove something.
 * Throws {@link TokenSourceError} whatever a prover throws: of an SDK's own errors nothing but a code is repeated.
 */
export function createWorkloadProver(
  settings: ProofSettings,
  proofAudience: string,
  ports: ClientPorts,
): WorkloadProver {
  let found: Found | undefined
  const find = async (signal: AbortSignal): Promise<Found> => {
    if (found !== undefined) return found
    const choice = await findProof(settings, loadProvers, ports, signal)
    const { file } = choice
    const prove =
      file === undefined
        ? askPlatform(await createProver(choice, settings.settings ?? {}, ports), choice)
        : () => readProofFile(file, settings.subjectTokenType, ports)
    found = { choice, prove }
    return found
  }
  const askPlatform =
    (prover: Prover, choice: ProofChoice): Found['prove'] =>
    async (signal) => {
      const limit = AbortSignal.any([signal, ports.deadline(PROOF_SECONDS)])
      try {
        const { subjectToken, subjectTokenType: own } = await prover.prove({ proofAudience }, limit)
        return { subjectToken, subjectTokenType: settings.subjectTokenType ?? own ?? prover.subjectTokenType }
      } catch (error) {
        signal.throwIfAborted()
        throw asSourceError(error, choice)
      }
    }
  return {
    choose: async (signal) => (await find(signal)).choice,
    prove: async (signal) => await (await find(signal)).prove(signal),
  }
}

/** What there is to prove by, once it is known. */
interface Found {
  readonly choice: ProofChoice
  readonly prove: (signal: AbortSignal) => Promise<WorkloadProof>
}

async function loadProvers(): Promise<readonly ProverProvider[]> {
  const { provers } = await import('../../providers/provers.ts')
  return provers
}

async function createProver(
  choice: ProofChoice,
  settings: ProofSettings['settings'],
  { environment: env, readFile, now }: ClientPorts,
): Promise<Prover> {
  const provider = (await loadProvers()).find(({ name }) => name === choice.provider)
  const ports: ProverPorts = { env, readFile, now }
  if (provider === undefined) {
    throw new TokenSourceError('settings_invalid', `proof.provider names no platform: ${String(choice.provider)}`)
  }
  try {
    return provider.createProver(settings, ports)
  } catch (error) {
    throw asSourceError(error, choice)
  }
}

/** Outages of a platform that time may end. */
const PASSING: ReadonlySet<string> = new Set(['upstream_unreachable', 'upstream_timeout', 'upstream_busy'])

function asSourceError(error: unknown, { provider }: ProofChoice): TokenSourceError {
  if (error instanceof TokenSourceError) return error
  if (error instanceof SettingsError) {
    return new TokenSourceError('settings_invalid', `the settings of the ${provider} prover: ${error.message}`)
  }
  if (error instanceof ProofError) {
    const facts = Object.entries(error.facts).map(([name, value]) => `${name}=${String(value)}`)
    const what = `${provider} gives no proof: ${error.message}${facts.length === 0 ? '' : ` (${facts.join(' ')})`}`
    return new TokenSourceError(PASSING.has(error.code) ? 'platform_unavailable' : 'proof_unavailable', what)
  }
  const code = codeOf(error)
  if (MISSING_MODULE.has(code)) {
    const sdk = SDKS[provider ?? ''] ?? 'the SDK'
    return new TokenSourceError('sdk_missing', `${sdk} is not installed`, { advice: `npm install ${sdk}` })
  }
  const advice = provider === 'kubernetes' ? PROJECT_A_TOKEN : undefined
  return new TokenSourceError('proof_unavailable', `${provider} gives no proof (${code})`, { advice })
}

const MISSING_MODULE: ReadonlySet<string> = new Set(['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'])

/** What each platform's prover loads, when it has something to prove. */
export const SDKS: Readonly<Record<string, string>> = {
  aws: '@aws-sdk/client-sts',
  azure: '@azure/identity',
  gcp: 'google-auth-library',
}
