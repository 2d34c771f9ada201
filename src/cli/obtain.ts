/** One token, or one proof, for a program that asked for it: what went wrong is told to it in its own way. */

import { createTokenSource, type ServiceToken, TokenSourceError } from '../client/client.ts'
import { readPorts } from '../client/ports.ts'
import type { WorkloadProof } from '../client/proof-file.ts'
import { createWorkloadProver } from '../client/prove.ts'
import type { TokenSourceSettings } from '../client/settings.ts'
import { unlessAborted } from '../client/unless-aborted.ts'
import type { Ending, Outcome } from './credential/answer.ts'
import { sentenceOf } from './use-token-source.ts'

/** Gets one token for an audience; by default for that of the settings. */
export async function obtainToken(
  settings: TokenSourceSettings,
  audience: string | undefined,
): Promise<Outcome<ServiceToken>> {
  return await attempt(async () => {
    const source = createTokenSource(settings)
    try {
      return await source.token(audience === undefined ? {} : { audience })
    } finally {
      source.close()
    }
  })
}

/** Gets one proof, made for the broker, for a library that will exchange it itself. */
export async function obtainProof(settings: TokenSourceSettings): Promise<Outcome<WorkloadProof>> {
  return await attempt(async () => {
    const proof = settings.proof ?? {}
    const prover = createWorkloadProver(proof, proof.audience ?? settings.broker, readPorts(settings))
    return await unlessAborted(prover.prove(new AbortController().signal), undefined)
  })
}

const ENDINGS = { refused: 'refused', setup: 'wrong', later: 'later' } as const satisfies Readonly<
  Record<TokenSourceError['kind'], Ending>
>

async function attempt<T>(act: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { got: await act() }
  } catch (error) {
    if (!(error instanceof TokenSourceError)) throw error
    return { failure: { message: sentenceOf(error), code: error.code, ending: ENDINGS[error.kind] } }
  }
}
