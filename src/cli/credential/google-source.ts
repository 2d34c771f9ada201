/** `external_account` files: what tells Google's auth libraries to exchange with somebody else than Google, or for somebody else. */

import type { ProviderName } from '../../../providers/contract/proof.ts'
import { wrongly } from './answer.ts'

/** Where a library finds what it exchanges. */
export type CredentialSource = Readonly<Record<string, unknown>>

/** How a library comes to the proof. */
const GOOGLE_SOURCES = ['file', 'url', 'executable', 'aws'] as const

export type GoogleSource = (typeof GOOGLE_SOURCES)[number]

/** What a platform needs no command for. */
export const SOURCE_OF: Readonly<Record<ProviderName, GoogleSource>> = {
  kubernetes: 'file',
  gcp: 'url',
  azure: 'url',
  aws: 'aws',
}

const JWT_TYPE = 'urn:ietf:params:oauth:token-type:jwt'

/** Google's name for a signed GetCallerIdentity request. */
const AWS4_REQUEST_TYPE = 'urn:ietf:params:aws:token-type:aws4_request'

/** Gives the name of a target that says whose it is. */
export function longAudience(broker: string, audience: string): string {
  return `${broker}/audiences/${encodeURIComponent(audience)}`
}

/**
 * Gives the file's content: a library that is pointed at it exchanges with the broker, for the audience in its long form, as the
 * libraries of Go and Java sign it into requests of AWS.
 *
 * @see {@link https://google.aip.dev/auth/4117 AIP-4117}
 */
export function externalAccount(broker: string, audience: string, source: CredentialSource): object {
  return {
    type: 'external_account',
    audience: longAudience(broker, audience),
    subject_token_type: 'environment_id' in source ? AWS4_REQUEST_TYPE : JWT_TYPE,
    token_url: `${broker}/token`,
    credential_source: source,
  }
}

/** A file that something keeps fresh, such as a projected token. It is read for every exchange. */
export function fileSource(file: string): CredentialSource {
  return { file, format: { type: 'text' } }
}

/** The metadata service of a platform whose answer is a proof, or holds one. It is elsewhere where an origin is given. */
export function urlSource(
  provider: ProviderName | undefined,
  proofAudience: string,
  metadataOrigin?: string,
): CredentialSource {
  const audience = encodeURIComponent(proofAudience)
  if (provider === 'gcp') {
    const origin = metadataOrigin ?? 'http://metadata.google.internal'
    return {
      url: `${origin}${GOOGLE_IDENTITY_PATH}?audience=${audience}&format=full`,
      headers: { 'Metadata-Flavor': 'Google' },
      format: { type: 'text' },
    }
  }
  if (provider === 'azure') {
    const origin = metadataOrigin ?? 'http://169.254.169.254'
    return {
      url: `${origin}${AZURE_TOKEN_PATH}?api-version=2018-02-01&resource=${audience}`,
      headers: { Metadata: 'true' },
      format: { type: 'json', subject_token_field_name: 'access_token' },
    }
  }
  throw wrongly(
    'google-config',
    'only --provider gcp and azure have an address that gives a proof: take another --source',
  )
}

const GOOGLE_IDENTITY_PATH = '/computeMetadata/v1/instance/service-accounts/default/identity'
const AZURE_TOKEN_PATH = '/metadata/identity/oauth2/token'

/** Time that a library waits for the command, in milliseconds: a broker's worst answer takes half of it. */
const COMMAND_TIMEOUT_MILLIS = 30_000

/** This command, which the library starts where `GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1`. */
export function executableSource(words: readonly string[]): CredentialSource {
  // Python's library splits at white space and knows no quotes.
  const unfit = words.find((word) => word === '' || /[\s"']/.test(word))
  if (unfit !== undefined)
    throw wrongly('google-config', `"${unfit}" cannot be written into a command: it has a space or a quote`)
  return { executable: { command: words.join(' '), timeout_millis: COMMAND_TIMEOUT_MILLIS } }
}

/** The library signs a request of AWS itself. Only those of Go and Java sign its audience, and only such a request is a proof. */
export function awsSource(): CredentialSource {
  const metadata = 'http://169.254.169.254/latest'
  return {
    environment_id: 'aws1',
    region_url: `${metadata}/meta-data/placement/availability-zone`,
    url: `${metadata}/meta-data/iam/security-credentials`,
    imdsv2_session_token_url: `${metadata}/api/token`,
    regional_cred_verification_url: 'https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15',
  }
}
