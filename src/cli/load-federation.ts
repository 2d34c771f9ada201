import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { buildFederation } from '../federation/federation.ts'
import { complain, findingsOf } from '../federation/finding.ts'
import type { LoadedDocument } from '../federation/source.ts'
import type { ValidationContext } from '../federation/validate.ts'
import type { LoadAnswer, LoadRequest } from './federation-worker.ts'

/** Loads the document at a path in a process of its own. One that dies is a finding, as any other trouble with the document. */
export async function loadFederation(
  path: string,
  context: ValidationContext & { readonly brokerIssuer: string },
): Promise<LoadedDocument> {
  const { insecureHosts, brokerIssuer } = context
  const request: LoadRequest = { path, insecureHosts: [...insecureHosts], brokerIssuer }
  try {
    const { findings, accepted } = await runWorker(request)
    if (accepted === undefined) return { findings, federation: undefined, file: path, text: undefined }
    const { file, text, digest, document } = accepted
    return { findings, federation: buildFederation(document, digest, context), file, text }
  } catch (error) {
    const message = `the document could not be loaded: ${error instanceof Error ? error.message : 'unknown error'}`
    const findings = findingsOf(path, [complain([], 'document_unreadable', message)])
    return { findings, federation: undefined, file: path, text: undefined }
  }
}

const WORKER = fileURLToPath(new URL('./federation-worker.ts', import.meta.url))

/** It gets nothing of our environment, which may hold keys, nor of our outputs, one of which may be the audit trail. */
function runWorker(request: LoadRequest): Promise<LoadAnswer> {
  return new Promise((resolve, reject) => {
    const worker = fork(WORKER, {
      env: {},
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    worker.once('message', (answer) => resolve(answer as unknown as LoadAnswer))
    worker.once('error', reject)
    worker.once('exit', (code, signal) => reject(new Error(`the loading process ended with ${signal ?? code}`)))
    worker.send(request)
  })
}
