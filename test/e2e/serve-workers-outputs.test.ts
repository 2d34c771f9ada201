/** What several workers write together: records, and what is wrong, as one process would. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { decodeJwt } from 'jose'
import { expect, onTestFinished, test } from 'vitest'
import { runChancery } from '../support/process.ts'
import { makeScratch } from '../support/scratch.ts'
import {
  openWorkersScene,
  parseRecords,
  readRecords,
  type WorkersOptions,
  type WorkersScene,
} from '../support/workers-scene.ts'

/** Connections of a load, and exchanges on each: enough that both workers write many records at a time. */
const LOAD = { connections: 32, exchanges: 20 }

/** Loads both workers, and gives the ids of the tokens, in order. */
async function load(scene: WorkersScene, exchanges = LOAD.exchanges): Promise<readonly string[]> {
  const proof = await scene.proof()
  const ids = Array.from({ length: LOAD.connections }, async () => {
    const connection = scene.connect()
    const given: string[] = []
    for (let count = 0; count < exchanges; count++) {
      const { json } = await connection.exchange(proof)
      given.push(String(decodeJwt(String(json.access_token)).jti))
    }
    connection.close()
    return given
  })
  return (await Promise.all(ids)).flat().toSorted()
}

async function openScene(options: WorkersOptions = {}): Promise<WorkersScene> {
  const scene = await openWorkersScene(options)
  onTestFinished(() => scene.close())
  return scene
}

const idsOf = (records: ReturnType<typeof readRecords>) => records.map(({ token_id: id }) => String(id)).toSorted()

/** Takes what comes in such a way that whoever writes finds the pipe full, and can write a part only. */
function readSlowly({ child }: WorkersScene): void {
  const { stdout } = child
  stdout?.on('data', () => {
    stdout.pause()
    setTimeout(() => stdout.resume(), 100)
  })
}

test('records of both come whole through a pipe, however slowly it is read, and one for each token', async () => {
  const scene = await openScene({ args: ['--audit', 'stdout'], isPiped: true })
  readSlowly(scene)
  const given = await load(scene, 4 * LOAD.exchanges)
  scene.stop()

  expect(idsOf(parseRecords((await scene.finished).out))).toEqual(given)
})

test('records of both come whole to a file, before their tokens leave', async () => {
  const scene = await openScene()
  const given = await load(scene)

  expect(idsOf(readRecords(join(scene.directory, 'audit.jsonl')))).toEqual(given)
})

test('no worker gives a token whose record cannot be written', async () => {
  const scene = await openScene({ args: ['--audit', 'file:/dev/full'] })

  for (const pid of scene.pids) {
    const connection = await scene.connectTo(pid)
    expect(await connection.exchange(await scene.proof())).toMatchObject({
      status: 503,
      json: { error: 'temporarily_unavailable' },
    })
    connection.close()
  }
})

test('the log says of each line whose it is, and strange settings once', async () => {
  const scene = await openScene()
  const about = (message: string) => scene.logs().filter(({ msg }) => String(msg).startsWith(message))

  expect(about('document in force').map(({ pid }) => pid)).toEqual(scene.pids)
  expect(about('INSECURE')).toHaveLength(1)
})

test('what keeps a broker from starting is said once, as by one process, and ends with the same code', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void taken.close())
  await new Promise((resolve) => taken.once('listening', resolve))
  const { port } = taken.address() as AddressInfo
  const document = join(import.meta.dirname, '../../infra/kubernetes/base/federation/platform.json')
  const told = async (wrong: readonly string[], workers: string) => {
    const directory = makeScratch()
    const { code, err } = await runChancery([
      ...['serve', '--issuer', 'http://127.0.0.1:1', '--listen', '127.0.0.1:0', '--metrics-listen', '127.0.0.1:0'],
      ...['--store', `sqlite:${directory}/chancery.db`, '--audit', `file:${directory}/audit.jsonl`],
      ...['--federation', document, ...wrong, '--workers', workers],
    ])
    return { code, lines: err.split('\n').filter((line) => !line.startsWith('{')) }
  }
  for (const wrong of [
    ['--federation', 'missing.json'],
    ['--store', 'sqlite:/dev/null/chancery.db'],
    ['--audit', 'file:/dev/null/audit.jsonl'],
    ['--listen', `127.0.0.1:${port}`],
    ['--metrics-listen', `127.0.0.1:${port}`],
    ['--insecure-host', 'nowhere'],
  ]) {
    const alone = await told(wrong, '1')

    expect(alone, wrong.join(' ')).toEqual({
      code: 2,
      lines: expect.arrayContaining([expect.stringMatching(/^chancery:/)]),
    })
    expect(await told(wrong, '3'), wrong.join(' ')).toEqual(alone)
  }
}, 60_000)
