/** The audit trail: a token's record is kept or there is no token; a refusal's is kept or counted. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { type AuditPorts, createAudit } from '../../src/audit/audit.ts'
import { auditRecordSchema } from '../../src/audit/record.ts'
import { createAuditSink } from '../../src/audit/sink.ts'
import { createFileWriter } from '../../src/audit/writers.ts'
import { recordOf } from '../support/made-records.ts'
import { makeScratch } from '../support/scratch.ts'
import { createTestWriter, turn, watchOutcome } from '../support/test-writer.ts'

function auditOver(ports: Partial<AuditPorts> = {}) {
  const writer = createTestWriter()
  const clock = { now: 0 }
  const onFailure = vi.fn()
  const sampled: string[] = []
  const audit = createAudit({
    sink: createAuditSink(writer),
    clock: () => clock.now,
    onFailure,
    onSampled: (trustedIssuer, isVerified) => void sampled.push(`${trustedIssuer} ${isVerified}`),
    ...ports,
  })
  return { audit, writer, clock, onFailure, sampled }
}

describe('the record of a token', () => {
  const issued = recordOf({ decision: 'issued', reason: null })

  test('is kept before anybody is told so', async () => {
    const { audit, writer } = auditOver()
    const kept = watchOutcome(audit.issued(issued))

    await turn()
    expect(kept()).toBe('pending')

    await writer.succeed()
    expect(kept()).toBe('fulfilled')
    expect(JSON.parse(writer.text())).toEqual(issued)
  })

  test('that cannot be kept is refused with the cause, and told of', async () => {
    const { audit, writer, onFailure } = auditOver()
    const refused = expect(audit.issued(issued)).rejects.toThrow('disk full')

    await writer.fail()

    await refused
    expect(onFailure.mock.calls).toEqual([[expect.objectContaining({ message: 'disk full' })]])
  })

  test('is never sampled away', async () => {
    const path = join(makeScratch(), 'audit.jsonl')
    const sink = createAuditSink(await createFileWriter(path))
    const { audit, sampled } = auditOver({ sink })

    await Promise.all(Array.from({ length: 500 }, () => audit.issued(issued)))
    await sink.close()

    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(501)
    expect(sampled).toEqual([])
  })
})

describe('the record of a refusal', () => {
  test('is kept, and whoever asked is told so', async () => {
    const { audit, writer } = auditOver()
    const record = recordOf()
    const kept = audit.refused(record, false)

    await writer.succeed()

    expect(await kept).toBe(true)
    expect(JSON.parse(writer.text())).toEqual(record)
  })

  test('that cannot be kept is told of, and the refusal stands', async () => {
    const { audit, writer, onFailure } = auditOver()
    const kept = audit.refused(recordOf(), false)

    await writer.fail()

    expect(await kept).toBe(false)
    expect(onFailure).toHaveBeenCalledTimes(1)
  })
})

describe('in a flood of refusals', () => {
  /** A sink that keeps everything at once. */
  function flooded() {
    const lines: string[] = []
    const sink = { write: async (line: string) => void lines.push(line), close: async () => undefined }
    const context = auditOver({ sink })
    const flood = async (count: number, trustedIssuer: string | null, isVerified: boolean) => {
      const kept = await Promise.all(
        Array.from({ length: count }, () =>
          context.audit.refused(recordOf({ trusted_issuer: trustedIssuer }), isVerified),
        ),
      )
      return kept.filter(Boolean).length
    }
    return { ...context, lines, flood }
  }

  test('all that are not kept are counted, under their trusted issuer', async () => {
    const { flood, lines, sampled } = flooded()

    expect(await flood(1_000, 'cluster', true)).toBe(109)

    expect(lines).toHaveLength(109)
    expect(sampled).toEqual(Array.from({ length: 891 }, () => 'cluster true'))
  })

  test('those of nobody are counted under none', async () => {
    const { flood, sampled } = flooded()

    await flood(101, null, false)

    expect(sampled).toEqual(['none false'])
  })

  test.each<[string, string | null, boolean]>([
    ['verified proofs of the same issuer', 'cluster', true],
    ['another issuer', 'west', false],
    ['nobody', null, false],
    ['nobody, verified', null, true],
  ])('others keep their own hundred: %s', async (_what, trustedIssuer, isVerified) => {
    const { flood } = flooded()
    await flood(10_000, 'cluster', false)

    expect(await flood(100, trustedIssuer, isVerified)).toBe(100)
  })

  test('of nobody, a trusted issuer keeps its own hundred whatever its name is', async () => {
    const { flood } = flooded()
    await flood(10_000, null, false)

    expect(await flood(100, 'none', false)).toBe(100)
  })

  test('the next second begins anew', async () => {
    const { flood, clock } = flooded()
    await flood(150, 'cluster', false)
    clock.now += 1_000

    expect(await flood(150, 'cluster', false)).toBe(100)
  })
})

describe('the form of a record', () => {
  test('is every member in every record, and no other', () => {
    const { shadow: _none, ...record } = { ...recordOf(), shadow: 1 }

    expect(auditRecordSchema.safeParse(record).success).toBe(true)
    expect(auditRecordSchema.safeParse({ ...record, shadow: 1 }).success).toBe(false)
    for (const name of Object.keys(record)) {
      expect(auditRecordSchema.safeParse({ ...record, [name]: undefined }).success).toBe(false)
    }
  })

  test.each([
    ['time', '2026-01-15'],
    ['time', '2026-01-15T12:00:00Z'],
    ['request_id', 'x'],
    ['decision', 'maybe'],
    ['reason', 'because'],
    ['provider', 'nimbus'],
    ['attributes', { a: 1 }],
    ['token_expires_at', 1],
  ])('has no %s of %j', (member, value) => {
    expect(auditRecordSchema.safeParse(recordOf({ [member]: value })).success).toBe(false)
  })
})
