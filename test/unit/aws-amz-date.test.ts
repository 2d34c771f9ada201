import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readAmzDate } from '../../providers/aws/amz-date.ts'
import { toAmzDate } from '../../providers/aws/stand-in/authenticate.ts'
import { refusalOf } from '../support/rejection.ts'

test.each([
  ['20260115T120000Z', 1_768_478_400],
  ['20240229T235959Z', 1_709_251_199],
  ['19700101T000000Z', 0],
  ['99991231T235959Z', 253_402_300_799],
])('reads %s as seconds', (text, seconds) => {
  expect(readAmzDate(text)).toBe(seconds)
})

test('reads every second that can be written', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 253_402_300_799 }), (seconds) => {
      expect(readAmzDate(toAmzDate(seconds))).toBe(seconds)
    }),
  )
})

test.each([
  ...['', '20260115', '20260115T120000', '20260115T120000z', '20260115t120000Z', '20260115 120000Z', '20260115T1200Z'],
  ...['2026-01-15T12:00:00Z', '20260115T120000.000Z', '20260115T120000+0000', 'Thu, 15 Jan 2026 12:00:00 GMT'],
  ...['20260132T120000Z', '20260100T120000Z', '20260001T120000Z', '20261301T120000Z', '20260230T120000Z'],
  ...['20250229T120000Z', '20260431T120000Z', '20260115T240000Z', '20260115T126000Z', '20260115T120060Z'],
  ...[
    '20261231T235960Z',
    '020260115T120000Z',
    '+20260115T120000Z',
    '2026 115T120000Z',
    '1768478400',
    '٢٠٢٦٠١١٥T١٢٠٠٠٠Z',
  ],
  ...['20260115T120000Z\n', '\n20260115T120000Z', ' 20260115T120000Z', '20260115T120000Z ', '20260115T120000ZZ'],
])('refuses %j, which is no date in its basic form', (text) => {
  expect(refusalOf(() => readAmzDate(text)).code).toBe('proof_malformed')
})
