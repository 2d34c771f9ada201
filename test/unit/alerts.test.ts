/** Alerts are about what the broker measures. */

import { readdirSync, readFileSync } from 'node:fs'
import { Registry } from 'prom-client'
import { describe, expect, test } from 'vitest'
import { createMetrics } from '../../src/metrics.ts'
import { createKeyMetrics } from '../../src/metrics-keys.ts'
import { KEY_EVENTS } from '../../src/tokens/ring-events.ts'

const FOLDER = new URL('../../infra/alerts/', import.meta.url)
const rules = readdirSync(FOLDER).map((name) => readFileSync(new URL(name, FOLDER), 'utf8'))

/** Gives each alert with the lines that belong to it. */
function alertsIn(text: string): readonly string[] {
  return text.split(/^ {6}- alert: /m).slice(1)
}

const alerts = rules.flatMap(alertsIn)

function expressionOf(alert: string): string {
  return /^ +expr: (.*)$/m.exec(alert)?.[1] ?? ''
}

/** Gives the names of all metrics, and the labels of each. */
function measured(): ReadonlyMap<string, readonly string[]> {
  const { registry } = createMetrics(() => 0)
  createKeyMetrics(registry)
  const metrics = registry.getMetricsAsArray()
  return new Map(
    metrics.map((metric) => [metric.name, (metric as unknown as { labelNames?: readonly string[] }).labelNames ?? []]),
  )
}

test('there are alerts, each with a severity and with what to do', () => {
  expect(alerts.length).toBeGreaterThan(4)
  for (const alert of alerts) {
    expect(alert).toMatch(/^Chancery[A-Za-z]+\n/)
    expect(expressionOf(alert)).not.toBe('')
    expect(alert).toMatch(/severity: (critical|warning|info)/)
    expect(alert).toMatch(/summary: .{10,}/)
    expect(alert).toMatch(/description: .{2,}/)
  }
})

test('each alert asks for metrics and labels that there are', () => {
  const known = measured()
  for (const alert of alerts) {
    const expression = expressionOf(alert)
    const names = expression.match(/chancery_[a-z_]+/g) ?? []

    expect(names.length, expression).toBeGreaterThan(0)
    for (const name of names) expect([...known.keys()], expression).toContain(name)
    const labels = [...expression.matchAll(/([a-z_]+)="/g), ...expression.matchAll(/by \(([a-z_]+)\)/g)]
    for (const [, label = ''] of labels) {
      expect(
        names.flatMap((name) => known.get(name) ?? []),
        expression,
      ).toContain(label)
    }
    for (const [, event = ''] of expression.matchAll(/event="([^"]+)"/g)) expect(KEY_EVENTS).toContain(event)
  }
})

test('a rotation that is late is among them', () => {
  expect(alerts.map(expressionOf).join('\n')).toContain('chancery_signing_key_rotation_late')
})

describe('what is measured of keys', () => {
  test('is nothing until something is known', async () => {
    const registry = new Registry()
    createKeyMetrics(registry)

    const text = await registry.metrics()

    expect(text.split('\n').filter((line) => line.startsWith('chancery_signing_keys{'))).toEqual([])
  })
})
