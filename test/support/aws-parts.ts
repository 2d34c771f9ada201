/** Signed requests for tests of one step of the AWS verifier: of one holder, at one moment, bent by a wish. */

import { readEnvelope } from '../../providers/aws/envelope.ts'
import type { SignedRequest } from '../../providers/aws/signed-request.ts'
import {
  createSignedRequest,
  encodeSignedRequest,
  type SigningCredentials,
  type SigningWish,
  type SignedRequest as WireRequest,
} from '../../providers/aws/stand-in/signed-request.ts'
import { createTestClock } from './clock.ts'
import { BROKER } from './document.ts'

/** Keys of AWS’s documentation. */
export const CREDENTIALS: SigningCredentials = {
  accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  sessionToken: 'FwoGZXIvYXdzEXAMPLESESSIONTOKEN//////////==',
}

/** The keys of a user, who has no session. */
export const USER_CREDENTIALS: SigningCredentials = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
}

/** Gives a request signed for the broker, at the moment of the test clock. */
export function signWire(wish: Partial<SigningWish> = {}, credentials: SigningCredentials = CREDENTIALS): WireRequest {
  return createSignedRequest(credentials, { audience: BROKER, date: createTestClock().now(), ...wish })
}

/** Reads a request as the broker does. */
export function readWire(request: object): SignedRequest {
  return readEnvelope(encodeSignedRequest(request as WireRequest))
}

/** Gives a request as the broker has read it. */
export function signedRequest(wish: Partial<SigningWish> = {}, credentials?: SigningCredentials): SignedRequest {
  return readWire(signWire(wish, credentials))
}

/** Gives a request with other headers, as a list that a test has bent. */
export function withHeaders(
  request: WireRequest,
  bend: (headers: WireRequest['headers']) => readonly object[],
): object {
  return { ...request, headers: bend(request.headers) }
}
