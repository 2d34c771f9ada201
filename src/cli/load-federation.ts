import { Worker } from 'node:worker_threads'
import { buildFederation } from '../federation/federation.ts'
import { complain, findingsOf } from '../federation/finding.ts'
import type { LoadedDocument } from '../federation/source.ts'
import type { ValidationContext } from '../federation/validate.ts'
import type { LoadAnswer, LoadRequest } from './federation-worker.ts'

/** Loads the document at a path off this thread. A thread that dies is a finding, as any other trouble with the document. */
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

function runWorker(request: LoadRequest): Promise<LoadAnswer> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./federation-worker.ts', import.meta.url), { workerData: request })
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', (code) => reject(new Error(`the loading thread ended with code ${code}`)))
  })
}
