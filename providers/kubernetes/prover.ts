/** The workload's half: the token that the kubelet keeps fresh in a projected volume. */

import { z } from 'zod'
import type { Prover, ProverPorts, ProverProvider } from '../contract/provider.ts'
import { readExpiry } from '../kit/compact-jws.ts'
import { parseShape } from '../kit/settings.ts'

/** Where the examples project the token to. */
export const DEFAULT_TOKEN_PATH = '/var/run/secrets/chancery/token'

const settingsSchema = z.strictObject({ token_path: z.string().default(DEFAULT_TOKEN_PATH) })

export const kubernetesProver: ProverProvider = {
  name: 'kubernetes',
  detect: ({ env }) => env.KUBERNETES_SERVICE_HOST !== undefined,
  createProver,
}

/**
 * Creates a prover over a projected file. Its audience was chosen in the pod's manifest, so that `proofAudience` is not asked of
 * anybody; a token made for another is still handed over, and refused with the reason in the broker's log.
 */
function createProver(settings: unknown, { readFile }: ProverPorts): Prover {
  const { token_path: path } = parseShape(settingsSchema, settings)
  return {
    subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt',
    async prove() {
      const subjectToken = (await readFile(path)).trim()
      return { subjectToken, expiresAt: readExpiry(subjectToken) }
    },
  }
}
