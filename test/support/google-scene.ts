/** Google Cloud with one virtual machine, and a broker that trusts it. */

import {
  type GoogleStandIn,
  type GoogleStandInOptions,
  startGoogleStandIn,
} from '../../providers/gcp/stand-in/stand-in.ts'
import type { TokenWish } from '../../providers/gcp/stand-in/tokens.ts'
import type { Claims } from '../../providers/kit/stand-in-keys.ts'
import type { TestBrokerOptions } from './broker.ts'
import { type CloudScene, openCloudScene } from './cloud-scene.ts'
import { BROKER, type DocumentParts, documentFor } from './document.ts'

export interface GoogleSceneOptions {
  readonly google?: GoogleStandInOptions
  /** The document, made for the cloud; by default {@link googleDocument} of it. */
  readonly document?: (google: GoogleStandIn) => object
  readonly broker?: Partial<TestBrokerOptions>
}

export interface GoogleScene extends CloudScene<GoogleStandIn> {
  /** A genuine token of the machine, or of another wish. */
  proof(wish?: Partial<TokenWish>): Promise<string>
  /** A token of the machine with other claims and header, under Google's own signature. Undefined removes a member. */
  forge(claims: Claims, header?: Claims): Promise<string>
}

export async function openGoogleScene(options: GoogleSceneOptions = {}): Promise<GoogleScene> {
  const { document = googleDocument } = options
  const scene = await openCloudScene<GoogleStandIn>({
    start: ({ now }) => startGoogleStandIn({ now, ...options.google }),
    document: (google) => document(google),
    broker: options.broker,
  })
  const google = scene.cloud
  return {
    ...scene,
    proof: (wish = {}) => google.requestToken({ audience: BROKER, ...wish }),
    forge: (claims, header) => google.sign({ ...google.claimsFor({ audience: BROKER }), ...claims }, header),
  }
}

/** Gives a document that maps the machine's account to the identity `payments/api`. Parts replace what is there. */
export function googleDocument(google: GoogleStandIn, parts: DocumentParts = {}): object {
  return documentFor('', {
    trusted_issuers: { google: { provider: 'gcp', keys: { from: 'url', url: google.keysUrl } } },
    bindings: { 'payments-api': googleBinding(subjectOf(google)) },
    ...parts,
  })
}

/** Gives a binding of an account to `payments/api`, with more conditions. */
export function googleBinding(subject: string, more: object = {}): object {
  return { trusted_issuer: 'google', match: { 'gcp.subject': subject, ...more }, identity: 'payments/api' }
}

/** The unique id of the account that the workload runs as. */
export function subjectOf(google: GoogleStandIn): string {
  return google.serviceAccount(google.workload.account)?.uniqueId ?? ''
}
