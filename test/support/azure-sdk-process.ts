/**
 * A workload on Azure: a process that gets tokens by the official SDK, or by our prover, in whatever environment it was started.
 * MSAL keeps its endpoint and its tokens for as long as a process lives, hence one for each case. Run as a child, with its steps as
 * JSON in the first argument; prints what became of each.
 */

import { registerHooks } from 'node:module'
import { inspect } from 'node:util'

/** One thing that the workload does. */
export type Step =
  | {
      readonly by: 'managed_identity'
      /** By one of its three names; the host's own without any. */
      readonly identity?: { readonly clientId?: string; readonly objectId?: string; readonly resourceId?: string }
      readonly scope: string
    }
  | { readonly by: 'workload_identity'; readonly scope: string }
  | { readonly by: 'prover'; readonly audience: string; readonly settings?: object; readonly giveUpAfterMs?: number }
  /** Changes the process's own environment. */
  | { readonly by: 'environment'; readonly set: Readonly<Record<string, string>> }

export interface Outcome {
  readonly token?: string
  readonly expiresAt?: number
  readonly name?: string
  readonly code?: string
  readonly message?: string
  readonly facts?: object
  /** The whole error, as a log could have it. */
  readonly shown?: string
  /** Whether the SDK was loaded before this step. */
  readonly wasSdkLoaded: boolean
}

let isSdkLoaded = false
registerHooks({
  resolve(specifier, context, next) {
    if (specifier.startsWith('@azure/')) isSdkLoaded = true
    return next(specifier, context)
  },
})

const { azureProver } = await import('../../providers/azure/prover.ts')

async function take(step: Step): Promise<{ token?: string; expiresAt?: number }> {
  if (step.by === 'environment') {
    Object.assign(process.env, step.set)
    return {}
  }
  if (step.by === 'prover') {
    const ports = { env: process.env, readFile: async () => '', now: () => Math.floor(Date.now() / 1_000) }
    const signal =
      step.giveUpAfterMs === undefined ? new AbortController().signal : AbortSignal.timeout(step.giveUpAfterMs)
    const prover = azureProver.createProver(step.settings ?? {}, ports)
    const { subjectToken, expiresAt } = await prover.prove({ proofAudience: step.audience }, signal)
    return { token: subjectToken, expiresAt }
  }
  const sdk = await import('@azure/identity')
  const credential =
    step.by === 'managed_identity'
      ? new sdk.ManagedIdentityCredential(step.identity ?? {})
      : new sdk.WorkloadIdentityCredential({ disableInstanceDiscovery: true })
  const { token, expiresOnTimestamp } = await credential.getToken(step.scope)
  return { token, expiresAt: expiresOnTimestamp / 1_000 }
}

function told(error: unknown): Partial<Outcome> {
  if (!(error instanceof Error)) return { shown: inspect(error) }
  const { name, message } = error
  const more = error as { readonly code?: string; readonly facts?: object }
  return { name, message, ...more, shown: inspect(error, { depth: null, showHidden: true }) }
}

const outcomes: Outcome[] = []
for (const step of JSON.parse(process.argv[2] ?? '[]') as readonly Step[]) {
  const wasSdkLoaded = isSdkLoaded
  outcomes.push(
    await take(step).then(
      (got) => ({ ...got, wasSdkLoaded }),
      (error: unknown) => ({ ...told(error), wasSdkLoaded }),
    ),
  )
}
// Whatever the SDK still waits for shall not keep the process.
process.stdout.write(JSON.stringify(outcomes), () => process.exit(0))
