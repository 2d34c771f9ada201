/** A session of AWS, as `credential_process` hands it over and as it is kept until shortly before its end. */

import type { NumericDate } from '../../../providers/contract/proof.ts'
import { memberOf, readJsonObject } from '../../../providers/contract/strict-json.ts'

/** Credentials that AWS gave. `expiresAt` is theirs. */
export interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  readonly expiresAt: NumericDate
}

/**
 * Gives the text that SDKs and the CLI read.
 *
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html Process credential provider}
 */
export function writeAwsCredentials({ accessKeyId, secretAccessKey, sessionToken, expiresAt }: AwsCredentials): string {
  const answer = {
    Version: 1,
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    SessionToken: sessionToken,
    Expiration: new Date(expiresAt * 1_000).toISOString().replace('.000Z', 'Z'),
  }
  return `${JSON.stringify(answer)}\n`
}

/** Reads what {@link writeAwsCredentials} wrote; undefined for anything else. */
export function parseAwsCredentials(text: string): AwsCredentials | undefined {
  const answer = readJsonObject(text, 2)
  if (answer === undefined || memberOf(answer, 'Version') !== 1) return undefined
  const member = (name: string): string => {
    const value = memberOf(answer, name)
    return typeof value === 'string' ? value : ''
  }
  const read = {
    accessKeyId: member('AccessKeyId'),
    secretAccessKey: member('SecretAccessKey'),
    sessionToken: member('SessionToken'),
    expiresAt: Date.parse(member('Expiration')) / 1_000,
  }
  const isWhole = Object.values(read).every((value) => value !== '' && !Number.isNaN(value))
  return isWhole ? read : undefined
}

/** When the SDKs begin to ask for new credentials, in seconds before the end of the old ones. */
const RENEWED_BEFORE_END_SECONDS = 300

/** Answers whether kept credentials are handed out: not where whoever gets them would come back at once for others. */
export function isFresh({ expiresAt }: AwsCredentials, now: NumericDate): boolean {
  return expiresAt - now > RENEWED_BEFORE_END_SECONDS
}

/** Answers whether credentials still work at all, with time for one more request. */
export function isAlive({ expiresAt }: AwsCredentials, now: NumericDate): boolean {
  return expiresAt - now > 30
}
