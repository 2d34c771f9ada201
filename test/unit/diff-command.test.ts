/** `chancery diff`: its words, its exit codes, its JSON. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import ajv2020 from 'ajv/dist/2020.js'
import { expect, test } from 'vitest'
import { runDiff } from '../../src/cli/diff.ts'
import { runProgram } from '../../src/cli/program.ts'
import { bindingFor, type DocumentParts, documentFor } from '../support/document.ts'
import { CLUSTER } from '../support/federation-parts.ts'
import { diff, writeScratch } from '../support/run-change.ts'
import { makeScratch } from '../support/scratch.ts'

function file(parts: DocumentParts = {}): string {
  return writeScratch('federation.json', documentFor(CLUSTER, parts))
}

const wide = { 'payments/api': { grants: { ledger: ['entries:read', 'entries:write'] } } }
const identities = { ...wide, other: { grants: {}, lifetime_seconds: 600 } }
const bindings = {
  'payments-all': bindingFor(['payments', 'billing'], 'api', 'payments/api'),
  one: { ...bindingFor('payments', 'api', 'other'), suspended: true },
}

test('a reviewer reads one line a change, more before, less behind the mark', async () => {
  const { code, out } = await diff(file(), file({ identities, bindings, trust_domain: 'new.example' }))

  expect(code).toBe(0)
  expect(out.split('\n')).toEqual([
    '~ the federation: changed: trust_domain: corp.example → new.example',
    '+ identity other: added: lifetime_seconds 600',
    '> grant payments/api at ledger: widened: + entries:write',
    '~ binding one: renamed: payments-api until now, for the same proofs',
    '~ binding one: moved: its proofs are other, and were payments/api',
    '< binding one: suspended: the proofs that it decides are refused',
    '+ binding payments-all: added: cluster, kubernetes.namespace = billing or payments and kubernetes.service_account = api → payments/api',
    '7 changes',
    '',
  ])
})

test('what comes and goes is told with whose proofs they were and will be', async () => {
  const all = { all: bindingFor('payments-*', 'api', 'payments/api') }
  const more = { ...all, eu: { ...bindingFor('payments-eu', 'api', 'other'), mode: 'shadow' } }
  const [old, next] = [file({ identities, bindings: all }), file({ identities, bindings: more })]
  const live = file({ identities, bindings: { ...all, eu: bindingFor('payments-eu', 'api', 'other') } })

  expect((await diff(next, live)).out.split('\n').slice(0, 2)).toEqual([
    '> binding eu: in force now, after its time in shadow',
    '    its proofs were payments/api, by all',
  ])
  expect((await diff(live, next)).out.split('\n').slice(0, 2)).toEqual([
    '< binding eu: in shadow now: it gives nothing, and what it would decide is recorded',
    '    its proofs are payments/api, by all from now on',
  ])
  expect((await diff(live, old)).out.split('\n')[1]).toBe('    its proofs are payments/api, by all from now on')
  expect((await diff(old, file({ identities, bindings: {} }))).out.split('\n').slice(0, 2)).toEqual([
    '- binding all: removed: cluster, kubernetes.namespace = payments-* and kubernetes.service_account = api → payments/api',
    '    no other binding takes all of its proofs',
  ])
})

test('an identity that goes is told in one line, and what a terminal could take for a command is escaped', async () => {
  const claims = { 'a\u001b[2J': 'b\u202e', long: 'x'.repeat(500) }
  const [none, one] = [
    file({ identities: {}, bindings: {} }),
    file({ identities: { i: { grants: {}, claims } }, bindings: {} }),
  ]
  const bare = file({ identities: { i: { grants: {} } }, bindings: {} })

  expect((await diff(one, none)).out.split('\n')).toEqual([
    expect.stringMatching(
      /^- identity i: removed: lifetime_seconds 900, claims \{"a\\u001b\[2J":"b\\u202e","long":"x+…$/,
    ),
    '1 change',
    '',
  ])
  expect((await diff(bare, one)).out.split('\n').slice(0, 2)).toEqual([
    '~ identity i: changed: claims/a\\u001b[2J: none → b\\u202e',
    `~ identity i: changed: claims/long: none → ${'x'.repeat(120)}…`,
  ])
})

test('documents that mean the same are told so, whether or not they are written alike', async () => {
  const old = file()
  const next = writeScratch('federation.json', JSON.stringify(documentFor(CLUSTER), null, 2))

  expect(await diff(old, old, { exitCode: true })).toEqual({
    code: 0,
    out: 'nothing changes: the documents are the same\n',
    err: '',
  })
  expect(await diff(old, next, { exitCode: true })).toMatchObject({
    code: 0,
    out: 'nothing changes: the documents are written differently and mean the same\n',
  })
})

test('differences are no error, unless they are asked for as one', async () => {
  const [old, next] = [file(), file({ identities })]

  expect((await diff(old, next)).code).toBe(0)
  expect((await diff(old, next, { exitCode: true })).code).toBe(1)
})

test('the JSON is of the published schema', async () => {
  const { out } = await diff(file(), file({ identities, bindings }), { json: true })
  const schema = JSON.parse(readFileSync('infra/schema/diff.v1.schema.json', 'utf8')) as object
  const validate = new ajv2020.Ajv2020().compile(schema)

  expect(validate(JSON.parse(out)), JSON.stringify(validate.errors)).toBe(true)
})

test('a new document that check refuses is refused, with the first error and where to read them all', async () => {
  const next = file({ bindings: { b: bindingFor('payments', 'api', 'nobody') } })
  const { code, out, err } = await diff(file(), next)

  expect({ code, out }).toEqual({ code: 1, out: '' })
  expect(err).toContain('nobody is not one of the document’s identities')
  expect(err).toContain(`"chancery check ${next}" tells all`)
})

test('an old document of which nothing can be used is refused', async () => {
  const old = file({ trust_domain: '' })

  expect(await diff(old, file())).toMatchObject({ code: 1, out: '', err: expect.stringContaining(old) })
})

test('a path that is not there is a wrong call', async () => {
  await expect(diff(file(), '/nowhere/at/all.json')).rejects.toThrow('/nowhere/at/all.json does not exist')
})

test('the command takes files, compressed files and directories, and the options of every document', async () => {
  const directory = makeScratch()
  writeFileSync(
    join(directory, 'platform.json.gz'),
    gzipSync(JSON.stringify(documentFor('http://cluster.example:8080'))),
  )
  const written: string[] = []
  const terminal = { out: (text: string) => void written.push(text), err: (text: string) => void written.push(text) }
  const insecure = ['--insecure-host', 'cluster.example:8080']

  expect(await runProgram(['diff', directory, file(), '--exit-code', ...insecure], terminal)).toBe(1)
  expect(written.join('')).toContain('issuers: + https://cluster.example, - http://cluster.example:8080')
  expect(await runProgram(['diff', directory], terminal)).toBe(2)
})

test('whoever waits is told how far it is, and whoever does not is told nothing', async () => {
  const [old, next] = [file(), file({ identities })]
  const told = async (stepMs: number): Promise<string> => {
    let now = 0
    const lines: string[] = []
    const clock = (): number => {
      now += stepMs
      return now
    }
    const terminal = { out: () => undefined, err: (text: string) => void lines.push(text) }
    await runDiff(old, next, { insecureHost: [] }, terminal, clock)
    return lines.join('')
  }

  expect(await told(2_000)).toBe(`${old} checked in 2 s\n${next} checked in 4 s\n`)
  expect(await told(400)).toBe('')
})
