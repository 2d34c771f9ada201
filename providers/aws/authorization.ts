import { ProofError } from '../contract/errors.ts'

/** The `Authorization` header of AWS Signature Version 4, taken apart. */
export interface Authorization {
  readonly accessKeyId: string
  readonly scopeDate: string
  readonly region: string
  readonly signedHeaders: readonly string[]
  readonly signature: string
}

const SIGV4 =
  /^AWS4-HMAC-SHA256 Credential=([A-Z0-9]{16,128})\/(\d{8})\/([a-z0-9-]{1,32})\/sts\/aws4_request, ?SignedHeaders=([a-z0-9;-]{1,512}), ?Signature=([0-9a-f]{64})$/

/**
 * Reads the header in its one order: credential, signed headers, signature.
 *
 * Refuses other algorithms, other services than STS, a component that is there twice, and header names that are unsorted, repeated
 * or not in lower case.
 *
 * @see {@link https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html AWS, create a signed request}
 */
export function readAuthorization(text: string): Authorization {
  const [, accessKeyId, scopeDate, region, names, signature] = SIGV4.exec(text) ?? []
  if (
    accessKeyId === undefined ||
    scopeDate === undefined ||
    region === undefined ||
    names === undefined ||
    signature === undefined
  ) {
    throw new ProofError('proof_malformed', 'the Authorization header is not that of SigV4 for STS')
  }
  const signedHeaders = names.split(';')
  if (signedHeaders.some((name, index) => name === '' || (index > 0 && name <= (signedHeaders[index - 1] ?? '')))) {
    throw new ProofError('proof_malformed', 'the signed headers are not sorted, or one is there twice')
  }
  return { accessKeyId, scopeDate, region, signedHeaders, signature }
}
