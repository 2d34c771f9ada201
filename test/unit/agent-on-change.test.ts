/** Whom an agent tells of a new token, and whom it never sends a signal. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createAgentLog } from '../../src/cli/agent/agent-log.ts'
import { groupOutputs, writeOutputs } from '../../src/cli/agent/kept-outputs.ts'
import { tellOfChange } from '../../src/cli/agent/on-change.ts'
import { makeScratch } from '../support/scratch.ts'

test('sends the signal to the process of the file', async () => {
  const pidFile = join(makeScratch(), 'pid')
  writeFileSync(pidFile, ` ${process.pid}\n`)
  const heard = new Promise<void>((resolve) => process.once('SIGUSR2', () => resolve()))
  await tellOfChange({ kind: 'signal', signal: 'SIGUSR2', pidFile }, '/run/token')

  await expect(heard).resolves.toBeUndefined()
})

test.each(['', '0', '1', '-1', '12 13', '1e3', '99999999999'])('sends none where the file has %j', async (text) => {
  const pidFile = join(makeScratch(), 'pid')
  writeFileSync(pidFile, text)
  const heard: string[] = []
  const listen = (): number => heard.push('SIGUSR2')
  process.on('SIGUSR2', listen)
  onTestFinished(() => void process.off('SIGUSR2', listen))

  await expect(tellOfChange({ kind: 'signal', signal: 'SIGUSR2', pidFile }, '/run/token')).rejects.toThrow(
    'holds no process id',
  )
  expect(heard).toEqual([])
})

test('runs the command, which has the path of the file, and says how it ended', async () => {
  const out = join(makeScratch(), 'out')
  const command = ['sh', '-c', `printf %s "$CHANCERY_TOKEN_FILE" > ${out}`]
  await tellOfChange({ kind: 'command', command }, '/run/token')

  expect(readFileSync(out, 'utf8')).toBe('/run/token')
  await expect(tellOfChange({ kind: 'command', command: ['sh', '-c', 'exit 3'] }, '/run/token')).rejects.toThrow(
    'sh ended with 3',
  )
  await expect(tellOfChange({ kind: 'command', command: ['/nowhere'] }, '/run/token')).rejects.toThrow(
    '/nowhere cannot be run',
  )
})

test('tells nobody before every file is written, and of none that has the token already', async () => {
  const at = (name: string): string => join(directory, name)
  const directory = makeScratch()
  // Elsewhere, as the shell makes it while it lists.
  const list = join(makeScratch(), 'list')
  const told = { kind: 'command', command: ['sh', '-c', `ls ${directory} | tr '\n' ' ' >> ${list}`] } as const
  const shared = { audience: 'ledger', mode: 0o600, format: 'raw' } as const
  const [group] = groupOutputs([
    { ...shared, file: at('first'), onChange: told },
    { ...shared, file: at('second') },
  ])
  const token = {
    accessToken: 'a.b.c',
    tokenType: 'Bearer',
    issuedTokenType: 'urn:ietf:params:oauth:token-type:access_token',
    expiresAt: 900,
  } as const
  const log = createAgentLog(
    'text',
    () => undefined,
    () => 0,
  )
  if (group === undefined) throw new Error('no group')
  await writeOutputs(group, token, log, { now: () => 0 })
  await writeOutputs(group, token, log, { now: () => 0 })

  expect(readFileSync(list, 'utf8')).toBe('first second ')
})
