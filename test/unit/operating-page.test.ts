/** What the page for operators names is there: settings, commands and metrics. */

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { SERVE_SETTINGS } from '../../src/config-settings.ts'
import { createMetrics } from '../../src/metrics.ts'
import { callsIn, commandOf } from '../support/help-examples.ts'

const page = readFileSync(new URL('../../infra/operating.md', import.meta.url), 'utf8')
const told = [...page.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)

test('its settings are those of serve', () => {
  const named = told.filter((code) => code.startsWith('--') && code !== '--help').map((code) => code.split(' ')[0])
  const known = SERVE_SETTINGS.map(({ flag }) => `--${flag}`)

  expect(named.length).toBeGreaterThan(10)
  expect(named.filter((flag) => !known.includes(flag ?? ''))).toEqual([])
})

test('its commands can be called so', async () => {
  const calls = told.filter((code) => code.startsWith('chancery ') && code.includes(' --federation')).flatMap(callsIn)
  const keys = told.filter((code) => code.startsWith('chancery keys ')).flatMap(callsIn)

  expect(calls).toHaveLength(1)
  expect(await Promise.all([...calls, ...keys].map(commandOf))).toEqual(
    expect.arrayContaining(['explain', 'keys list', 'keys rotate', 'keys revoke', 'keys reencrypt']),
  )
})

test('its metrics are measured', () => {
  const known = createMetrics(() => 0)
    .registry.getMetricsAsArray()
    .map(({ name }) => name)
  const named = told.filter((code) => /^chancery_[a-z_]+$/.test(code))

  expect(named).toHaveLength(6)
  expect(known).toEqual(expect.arrayContaining(named))
})
