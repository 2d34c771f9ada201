/**
 * A workload on a developer's machine: proves itself by the official SDK of the cloud in its first argument, as its environment leads
 * it, and exchanges the proof at `CHANCERY_BROKER`. Prints the answer's status and body, and the request's id.
 */

import { provers } from '../../providers/provers.ts'

const [cloud, proofFile] = process.argv.slice(2)
const broker = process.env.CHANCERY_BROKER ?? ''
const provider = provers.find(({ name }) => name === cloud)
if (provider === undefined) throw new Error(`there is no prover for ${cloud}`)

const { readFile } = await import('node:fs/promises')
const ports = {
  env: process.env,
  readFile: (path: string) => readFile(path, 'utf8'),
  now: () => Math.floor(Date.now() / 1_000),
}
const prover = provider.createProver(proofFile === undefined ? {} : { token_path: proofFile }, ports)
const { subjectToken, subjectTokenType = prover.subjectTokenType } = await prover.prove(
  { proofAudience: broker },
  AbortSignal.timeout(10_000),
)
const response = await fetch(`${broker}/token`, {
  method: 'POST',
  body: new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token_type: subjectTokenType,
    subject_token: subjectToken,
    audience: process.env.CHANCERY_AUDIENCE ?? '',
  }),
})
const told = { status: response.status, requestId: response.headers.get('x-request-id'), body: await response.json() }
// Whatever an SDK still waits for shall not keep the process.
process.stdout.write(JSON.stringify(told), () => process.exit(0))
