import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { constants, setPriority } from 'node:os'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openFederation } from '../federation/federation.ts'
import { complain, findingsOf } from '../federation/finding.ts'
import type { PackedDocument } from '../federation/kept.ts'
import type { LoadedFederation } from '../federation/source.ts'
import type { ValidationContext } from '../federation/validate.ts'
import { emptyOf, tablesOf } from './federation-pieces.ts'
import type { LoadAnswer, LoadRequest } from './federation-worker.ts'

/** What is loaded, and what was good before. */
export interface LoadOptions {
  readonly path: string
  readonly context: ValidationContext & { readonly brokerIssuer: string }
  readonly lastGood: readonly PackedDocument[]
  readonly isServing: boolean
}

/**
 * Loads the documents at a path in a process of its own, and takes its answer in little by little. One that dies is a finding, as any
 * other trouble with the documents.
 */
export async function loadFederation({ path, context, lastGood, isServing }: LoadOptions): Promise<LoadedFederation> {
  const { insecureHosts, brokerIssuer } = context
  const request: LoadRequest = { path, insecureHosts: [...insecureHosts], brokerIssuer, lastGood, isServing }
  const worker = startWorker()
  if (isServing) putBehind(worker)
  try {
    return await takeIn(worker, request, context)
  } catch (error) {
    const message = `the document could not be loaded: ${error instanceof Error ? error.message : 'unknown error'}`
    const findings = findingsOf(path, [complain([], 'document_unreadable', message)])
    return { findings, federation: undefined, documents: [] }
  } finally {
    worker.kill()
  }
}

async function takeIn(
  worker: ChildProcess,
  request: LoadRequest,
  context: ValidationContext,
): Promise<LoadedFederation> {
  const ask = createAsker(worker)
  const found = await ask(request)
  if (found.kind !== 'found') throw new Error('the loading process says something else')
  const { findings, outline } = found
  if (outline === undefined) return { findings, federation: undefined, documents: [] }
  const packed = emptyOf(outline)
  for (const table of tablesOf(packed)) {
    for (let at = 0; at < table.length; ) {
      const piece = await ask('next')
      if (piece.kind !== 'bytes') throw new Error('the loading process stops short')
      table.set(piece.bytes, at)
      at += piece.bytes.length
    }
  }
  const last = await ask('next')
  if (last.kind !== 'documents') throw new Error('the loading process does not stop')
  return { findings, federation: openFederation(packed, context), documents: last.documents }
}

/** Beside this file, whether this is a source or what was built of it. */
const WORKER = fileURLToPath(new URL(`./federation-worker${extname(import.meta.url)}`, import.meta.url))

/** It gets nothing of our environment, which may hold keys, nor of our outputs, one of which may be the audit trail. */
function startWorker(): ChildProcess {
  return fork(WORKER, {
    env: {},
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
}

/**
 * Exchanges go first. On Linux a priority is one thread's, and the threads that it starts inherit it: a process has one thread when it
 * has just been made. Where priorities cannot be set, it goes without.
 */
function putBehind({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // It has ended by now, or the system knows no priorities.
  }
}

/** One piece is asked for at a time, so that requests are served between any two. */
function createAsker(worker: ChildProcess): (question: LoadRequest | 'next') => Promise<LoadAnswer> {
  const ended = new Promise<never>((_, reject) => {
    worker.once('error', reject)
    worker.once('exit', (code, signal) => reject(new Error(`the loading process ended with ${signal ?? code}`)))
  })
  ended.catch(() => undefined)
  return async (question) => {
    const answered = once(worker, 'message')
    worker.send(question, () => undefined)
    const [answer] = await Promise.race([answered, ended])
    return answer as LoadAnswer
  }
}
