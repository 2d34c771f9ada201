/** The lines of an agent. */

import { expect, test } from 'vitest'
import { createAgentLog, type LogFormat } from '../../src/cli/agent/agent-log.ts'

function linesOf(format: LogFormat): readonly string[] {
  const lines: string[] = []
  const log = createAgentLog(
    format,
    (line) => lines.push(line),
    () => 0,
  )
  log.info('token written', { file: '/run/a b', expires_at: 5, scope: undefined })
  log.warn('no wonder', { reason: 'one\ntwo' })
  log.error('ended')
  return lines
}

test('for people are a time, a level, a sentence and facts, and a value is never taken for two', () => {
  expect(linesOf('text')).toEqual([
    '1970-01-01T00:00:00.000Z info token written file="/run/a b" expires_at=5\n',
    '1970-01-01T00:00:00.000Z warn no wonder reason="one\\ntwo"\n',
    '1970-01-01T00:00:00.000Z error ended\n',
  ])
})

test('as JSON are one object each', () => {
  expect(linesOf('json').map((line) => JSON.parse(line) as unknown)).toEqual([
    { time: '1970-01-01T00:00:00.000Z', level: 'info', message: 'token written', file: '/run/a b', expires_at: 5 },
    { time: '1970-01-01T00:00:00.000Z', level: 'warn', message: 'no wonder', reason: 'one\ntwo' },
    { time: '1970-01-01T00:00:00.000Z', level: 'error', message: 'ended' },
  ])
})
