/** Loading in a process of its own: what it gives is what the documents say, and what is wrong with it is a finding. */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { verifiers } from '../../providers/verifiers.ts'
import { loadFederation } from '../../src/cli/load-federation.ts'
import { digestOf } from '../../src/federation/digest.ts'
import type { PackedDocument } from '../../src/federation/kept.ts'
import type { LoadedFederation } from '../../src/federation/source.ts'
import { BROKER, bindingFor, documentFor } from '../support/document.ts'
import { CLUSTER, identityOf } from '../support/federation-parts.ts'
import { makeScratch } from '../support/scratch.ts'
import { ACCOUNT, type Files, NAMESPACE, platformFor, teamFor, tellFiles, textOf } from '../support/team-documents.ts'

const CONTEXT = { providers: verifiers, insecureHosts: new Set<string>(), brokerIssuer: BROKER }
const FILES = { 'platform.json': platformFor(CLUSTER), 'payments.json': teamFor('payments') }
const BROKEN = '{'

function write(directory: string, files: Files): void {
  for (const [name, document] of Object.entries(files)) writeFileSync(join(directory, name), textOf(document))
}

function load(path: string, lastGood: readonly PackedDocument[] = [], isServing = false): Promise<LoadedFederation> {
  return loadFederation({ path, context: CONTEXT, lastGood, isServing })
}

function packed(delegation: string | undefined, document: object, file = 'old.json'): PackedDocument {
  const text = textOf(document)
  return { delegation, file, digest: digestOf(text), packed: gzipSync(text) }
}

function bindingsIn(
  { federation }: LoadedFederation,
  namespace: string,
  account: string,
): readonly string[] | undefined {
  const attributes = new Map([
    [NAMESPACE, namespace],
    [ACCOUNT, account],
  ])
  return federation?.bindings.findAll('cluster', attributes).map(({ name }) => name)
}

test('a directory is loaded whole, with each document to be kept', async () => {
  const directory = makeScratch()
  write(directory, FILES)

  const loaded = await load(directory)

  expect(loaded.findings).toEqual([])
  expect(bindingsIn(loaded, 'payments', 'api')).toEqual(['payments:api'])
  expect(bindingsIn(loaded, 'tools', 'scanner')).toEqual(['scanner'])
  const kept = loaded.documents.map(({ delegation, file, packed: bytes }) => [
    delegation,
    file,
    gunzipSync(bytes).toString(),
  ])
  expect(kept).toEqual([
    [undefined, join(directory, 'platform.json'), textOf(FILES['platform.json'])],
    ['payments', join(directory, 'payments.json'), textOf(FILES['payments.json'])],
  ])
})

test('a document of many pieces is put together as it was', async () => {
  const file = join(makeScratch(), 'federation.json.gz')
  const names = Array.from({ length: 5_000 }, (_, n) => `workload-${n}`)
  const document = documentFor(CLUSTER, {
    identities: Object.fromEntries(names.map((name) => [`all/${name}`, identityOf({ claims: { name } })])),
    bindings: Object.fromEntries(names.map((name) => [name, bindingFor('payments', name, `all/${name}`)])),
  })
  writeFileSync(file, gzipSync(textOf(document)))

  const loaded = await load(file)

  expect(loaded.federation?.bindings.size).toBe(5_000)
  for (const name of names) {
    expect(bindingsIn(loaded, 'payments', name)).toEqual([name])
    expect(loaded.federation?.identities.get(`all/${name}`)?.claims).toEqual({ name })
  }
})

describe('a broken document', () => {
  test('of a team is replaced by the last good one, which is kept on', async () => {
    const directory = makeScratch()
    write(directory, { ...FILES, 'payments.json': BROKEN })
    const good = packed('payments', teamFor('payments'), join(directory, 'payments.json'))

    const loaded = await load(directory, [packed(undefined, platformFor(CLUSTER)), good], true)

    expect(tellFiles(loaded.findings)).toEqual([`${join(directory, 'payments.json')} error  json_malformed`])
    expect(bindingsIn(loaded, 'payments', 'api')).toEqual(['payments:api'])
    expect(loaded.documents[1]).toEqual(good)
  })

  const lastGood = [packed('payments', teamFor('payments')), packed(undefined, platformFor(CLUSTER))]

  test('of the platform is replaced by all the last good ones where nothing is in force', async () => {
    const directory = makeScratch()
    write(directory, { 'platform.json': BROKEN, 'payments.json': teamFor('payments', { bindings: {} }) })

    const loaded = await load(directory, lastGood)

    expect(tellFiles(loaded.findings)).toEqual([`${join(directory, 'platform.json')} error  json_malformed`])
    expect(bindingsIn(loaded, 'payments', 'api')).toEqual(['payments:api'])
    expect(loaded.documents.map(({ delegation }) => delegation)).toEqual([undefined, 'payments'])
  })

  test('of the platform leaves everything as it is where something is in force', async () => {
    const directory = makeScratch()
    write(directory, { 'platform.json': BROKEN, 'payments.json': teamFor('payments') })

    const loaded = await load(directory, lastGood, true)

    expect(loaded).toMatchObject({ federation: undefined, documents: [] })
    expect(loaded.findings).toHaveLength(1)
  })

  test.each<[string, readonly PackedDocument[]]>([
    ['there is no last good one', []],
    ['the last good one is broken, too', [packed(undefined, { version: 2 })]],
    ['the platform’s is not among the last good ones', [packed('payments', teamFor('payments'))]],
  ])('of the platform is a finding where %s', async (_what, kept) => {
    const directory = makeScratch()
    write(directory, { 'platform.json': BROKEN })

    const loaded = await load(directory, kept)

    expect(loaded).toMatchObject({ federation: undefined, documents: [] })
    expect(tellFiles(loaded.findings)).toEqual([`${join(directory, 'platform.json')} error  json_malformed`])
  })
})

test('a path where nothing is, and a directory where nothing fits, are findings', async () => {
  const directory = makeScratch()
  const nowhere = join(directory, 'nowhere')

  expect(tellFiles((await load(nowhere)).findings)).toEqual([`${nowhere} error  document_unreadable`])
  mkdirSync(nowhere)
  expect(tellFiles((await load(nowhere)).findings)).toEqual([`${nowhere} error  document_missing`])
  rmSync(nowhere, { recursive: true })
})

test('a process that dies is a finding', async () => {
  const directory = makeScratch()
  write(directory, { 'platform.json': BROKEN })
  const unreadable = { ...packed(undefined, platformFor(CLUSTER)), packed: new Uint8Array([1, 2, 3]) }

  const { federation, findings } = await load(directory, [unreadable])

  expect(federation).toBeUndefined()
  expect(tellFiles(findings)).toEqual([`${directory} error  document_unreadable`])
  expect(findings[0]?.message).toBe('the document could not be loaded: the loading process ended with 1')
})
