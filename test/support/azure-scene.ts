/** A tenant of Entra with one managed identity and two applications that stand for the broker, and a broker that trusts it. */

import type { Client } from '../../providers/azure/stand-in/directory.ts'
import {
  type AzureStandIn,
  type AzureStandInOptions,
  startAzureStandIn,
} from '../../providers/azure/stand-in/stand-in.ts'
import type { TokenWish } from '../../providers/azure/stand-in/tokens.ts'
import type { Claims } from '../../providers/kit/stand-in-keys.ts'
import type { TestBrokerOptions } from './broker.ts'
import { type CloudScene, openCloudScene } from './cloud-scene.ts'
import { type DocumentParts, documentFor } from './document.ts'
import { APP_URI } from './entra-tokens.ts'

/** What tokens of version 2 are asked for. They name the application's client id. */
const MODERN_URI = 'api://chancery-v2'

export interface AzureParts {
  readonly azure: AzureStandIn
  readonly identity: Client
  /** Whom proofs are made for: the one in version 1, the other in version 2. */
  readonly proofAudiences: readonly [string, string]
}

export interface AzureSceneOptions {
  readonly azure?: AzureStandInOptions
  /** The document, made for the tenant; by default {@link azureDocument} of it. */
  readonly document?: (parts: AzureParts) => object
  readonly broker?: Partial<TestBrokerOptions>
}

export interface AzureScene extends CloudScene<AzureStandIn>, Omit<AzureParts, 'azure'> {
  /** A genuine token of the identity, in version 1, or of another wish. */
  proof(wish?: Partial<TokenWish>): Promise<string>
  /** A genuine token in version 2. */
  modernProof(wish?: Partial<TokenWish>): Promise<string>
  /** A token of the identity with other claims and header, under Entra's own signature. Undefined removes a member. */
  forgeV1(claims: Claims, header?: Claims): Promise<string>
  forgeV2(claims: Claims, header?: Claims): Promise<string>
}

export async function openAzureScene(options: AzureSceneOptions = {}): Promise<AzureScene> {
  const { document = azureDocument } = options
  const made: { parts?: AzureParts } = {}
  const scene = await openCloudScene<AzureStandIn>({
    start: ({ now }) => startAzureStandIn({ now, ...options.azure }),
    document(azure) {
      made.parts = settle(azure)
      return document(made.parts)
    },
    broker: options.broker,
  })
  const azure = scene.cloud
  const { identity, proofAudiences } = made.parts ?? settle(azure)
  const { clientId } = identity
  const forge = (resource: string, claims: Claims, header?: Claims): Promise<string> =>
    azure.sign({ ...azure.claimsFor({ resource, clientId }), ...claims }, header)
  return {
    ...scene,
    identity,
    proofAudiences,
    proof: (wish = {}) => azure.requestToken({ resource: APP_URI, clientId, ...wish }),
    modernProof: (wish = {}) => azure.requestToken({ resource: MODERN_URI, clientId, ...wish }),
    forgeV1: (claims, header) => forge(APP_URI, claims, header),
    forgeV2: (claims, header) => forge(MODERN_URI, claims, header),
  }
}

/** Registers the broker's applications and the workload's identity in a tenant. */
export function settle(azure: AzureStandIn): AzureParts {
  azure.registerApplication({ uris: [APP_URI] })
  const { clientId } = azure.registerApplication({ uris: [MODERN_URI], acceptedVersion: '2.0' })
  return { azure, identity: azure.createIdentity('id-pay'), proofAudiences: [APP_URI, clientId] }
}

/** Gives a document that maps the identity to the identity `payments/api`. Parts replace what is there. */
export function azureDocument(made: AzureParts, parts: DocumentParts = {}): object {
  return documentFor('', {
    proof_audiences: undefined,
    trusted_issuers: { entra: entraEntry(made) },
    bindings: { 'payments-api': azureBinding(made.identity.objectId) },
    ...parts,
  })
}

/** Gives the trusted issuer of a tenant, with its keys at the stand-in. */
export function entraEntry({ azure, proofAudiences }: AzureParts, more: object = {}): object {
  return {
    provider: 'azure',
    tenant_id: azure.tenantId,
    proof_audiences: proofAudiences,
    keys: { from: 'url', url: `${azure.origin}${keysPath(azure)}` },
    ...more,
  }
}

/** Where the stand-in publishes the tenant's keys. */
export function keysPath({ tenantId }: AzureStandIn): string {
  return `/${tenantId}/discovery/v2.0/keys`
}

/** Gives a binding of an identity to `payments/api`, with more conditions. */
export function azureBinding(objectId: string, more: object = {}): object {
  return { trusted_issuer: 'entra', match: { 'azure.object_id': objectId, ...more }, identity: 'payments/api' }
}
