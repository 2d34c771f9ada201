/** What `exec` passes on, and what a restart does not do twice. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startChild } from '../../src/cli/exec/child.ts'
import { catchSignals } from '../../src/cli/exec/signals.ts'
import { supervise } from '../../src/cli/exec/supervise.ts'
import { placeInFile, placeInVariable } from '../../src/cli/exec/token-place.ts'
import type { ServiceToken } from '../../src/client/client.ts'
import { until } from '../support/command-scene.ts'
import { makeScratch } from '../support/scratch.ts'

const TOKEN: ServiceToken = {
  accessToken: 'a.b.c',
  tokenType: 'Bearer',
  issuedTokenType: 'urn:ietf:params:oauth:token-type:access_token',
  expiresAt: 2_000_000_000,
}

describe('a signal', () => {
  const heardOf = (hasTerminal: boolean): readonly string[] => {
    const heard: string[] = []
    const release = catchSignals({ pass: (signal) => heard.push(signal), end: () => heard.push('end') }, hasTerminal)
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'])
      process.emit(signal as 'SIGTERM')
    release()
    process.emit('SIGUSR1')
    return heard
  }

  test('is passed on, until nothing is caught any more', () => {
    const all = ['end', 'SIGTERM', 'end', 'SIGINT', 'end', 'SIGQUIT', 'end', 'SIGHUP', 'SIGUSR1', 'SIGUSR2']

    expect(heardOf(false)).toEqual(all)
  })

  test('of the terminal, which the program has already, is not passed on', () => {
    expect(heardOf(true)).toEqual(['end', 'SIGTERM', 'end', 'end', 'end', 'SIGUSR1', 'SIGUSR2'])
  })
})

describe('a restart', () => {
  const shell = (script: string, file: string) => ({
    command: 'sh',
    args: ['-c', script, 'sh', file],
    environment: process.env,
    hasTerminal: false,
  })
  const linesOf = (file: string): number => readFileSync(file, 'utf8').split('\n').length - 1

  test('does not run a program again that has ended by itself', async () => {
    const file = join(makeScratch(), 'runs')
    const supervised = supervise(shell('echo run >> "$1"; exit 3', file), placeInVariable('T'), { kind: 'restart' })
    const code = await supervised.ended
    await supervised.renew(TOKEN)
    // Long enough for another run to have begun, had there been one.
    await startChild('sh', ['-c', 'sleep 0.2'], process.env).ended

    expect({ code, runs: linesOf(file) }).toEqual({ code: 3, runs: 1 })
  })

  test('of a program that somebody has told to end meanwhile does not begin it again', async () => {
    const file = join(makeScratch(), 'runs')
    const script = 'trap "sleep 0.3; exit 4" TERM; echo run >> "$1"; while :; do sleep 0.02; done'
    const supervised = supervise(shell(script, file), placeInVariable('T'), { kind: 'restart' })
    await until(() => expect(linesOf(file)).toBe(1))
    const restarted = supervised.renew(TOKEN)
    process.emit('SIGTERM')
    await restarted

    expect({ code: await supervised.ended, runs: linesOf(file) }).toEqual({ code: 4, runs: 1 })
  })

  test('gives the new token', async () => {
    const file = join(makeScratch(), 'tokens')
    const place = placeInVariable('T')
    await place.put({ ...TOKEN, accessToken: 'first' })
    const script = 'trap "exit 5" TERM; echo "$T" >> "$1"; while :; do sleep 0.02; done'
    const supervised = supervise(shell(script, file), place, { kind: 'restart' })
    await until(() => expect(linesOf(file)).toBe(1))
    await supervised.renew({ ...TOKEN, accessToken: 'second' })
    await until(() => expect(linesOf(file)).toBe(2))
    process.emit('SIGTERM')
    await supervised.ended

    expect(readFileSync(file, 'utf8')).toBe('first\nsecond\n')
  })
})

test('a place that was made for one run is the same until it is cleared', async () => {
  const place = placeInFile('F', undefined)
  await place.put(TOKEN)
  const before = place.variables()
  await place.put({ ...TOKEN, accessToken: 'other' })
  const text = readFileSync(before.F ?? '', 'utf8')
  await place.clear()

  expect(place.variables()).toEqual(before)
  expect(text).toBe('other')
  expect(() => readFileSync(before.F ?? '')).toThrow('ENOENT')
})
