import { ProofError } from '../contract/errors.ts'
import type { NumericDate } from '../contract/proof.ts'

/**
 * Reads `x-amz-date`, `YYYYMMDDTHHMMSSZ`. Refuses every other form, and a day or second that the calendar does not have.
 *
 * @see {@link https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-signing-elements.html#date AWS, date in a signature}
 */
export function readAmzDate(text: string): NumericDate {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text) ?? []
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`
  const milliseconds = Date.parse(iso)
  if (Number.isNaN(milliseconds) || new Date(milliseconds).toISOString() !== iso) {
    throw new ProofError('proof_malformed', 'x-amz-date is not a date that exists, in its basic form')
  }
  return milliseconds / 1_000
}
