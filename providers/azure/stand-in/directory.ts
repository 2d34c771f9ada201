/** What Entra and the resource manager remember: applications, managed identities, and the outsiders that these trust. */

import { randomBytes, randomUUID } from 'node:crypto'

/** Something that can ask for tokens: an application or a managed identity. */
export interface Client {
  readonly clientId: string
  /** The `oid` of the tokens that it gets. */
  readonly objectId: string
  /** The managed identity as a resource; undefined for an application, and for an identity that is a part of its host. */
  readonly resourceId: string | undefined
  readonly kind: 'application' | 'user_assigned' | 'system_assigned'
  /** What an application may prove itself with; managed identities have none. */
  readonly secret: string | undefined
}

/** An application that tokens can be for. */
export interface Application extends Client {
  readonly uris: readonly string[]
  /** The resource decides which version its tokens have, whoever asks for them wherever. */
  readonly acceptedVersion: TokenVersion
  /** One of Microsoft's own services: only their tokens name resources. */
  readonly isMicrosofts: boolean
}

export interface ApplicationWish {
  readonly uris: readonly string[]
  readonly acceptedVersion?: TokenVersion
  readonly isMicrosofts?: boolean
}

/** As `ver` says it. */
export type TokenVersion = '1.0' | '2.0'

/** A token of another issuer that a client is believed for. */
export interface FederatedCredential {
  readonly clientId: string
  readonly issuer: string
  readonly subject: string
}

/** Who is there, by any of their names. */
export interface Directory {
  /** The identity that the host itself has. */
  readonly systemIdentity: Client
  registerApplication(wish: ApplicationWish): Application
  /** Its ids are made up where they are not given. */
  createIdentity(name: string, ids?: Pick<Client, 'clientId' | 'objectId'>): Client
  trustSubject(credential: FederatedCredential): void
  /** Whom a token may be for, by one of its URIs or its client id. */
  application(name: string): Application | undefined
  client(clientId: string): Client | undefined
  /** A managed identity by any of its three names. */
  identity(name: string): Client | undefined
  federatedCredentials(clientId: string): readonly FederatedCredential[]
}

/** The resource group that everything is in. */
export const RESOURCE_GROUP = '/subscriptions/11111111-2222-3333-4444-555555555555/resourcegroups/rg-pay'

/** Makes a directory with a host's own identity in it, and nothing else. */
export function createDirectory(): Directory {
  const applications: Application[] = []
  const identities: Client[] = []
  const credentials: FederatedCredential[] = []
  const ids = (): { clientId: string; objectId: string } => ({ clientId: randomUUID(), objectId: randomUUID() })
  const findClient = (clientId: string): Client | undefined =>
    [...applications, ...identities].find((client) => client.clientId === clientId)
  const systemIdentity: Client = { ...ids(), resourceId: undefined, secret: undefined, kind: 'system_assigned' }
  return {
    systemIdentity,
    registerApplication({ uris, acceptedVersion = '1.0', isMicrosofts = false }) {
      const secret = randomBytes(24).toString('base64url')
      const made: Application = {
        ...ids(),
        resourceId: undefined,
        kind: 'application',
        secret,
        uris: [...uris],
        isMicrosofts,
        acceptedVersion,
      }
      applications.push(made)
      return made
    },
    createIdentity(name, given = ids()) {
      const resourceId = `${RESOURCE_GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}`
      const made: Client = { ...given, resourceId, secret: undefined, kind: 'user_assigned' }
      identities.push(made)
      return made
    },
    trustSubject: (credential) => void credentials.push(credential),
    application: (name) => applications.find(({ uris, clientId }) => clientId === name || uris.includes(name)),
    client: findClient,
    identity: (name) =>
      [systemIdentity, ...identities].find(({ clientId, objectId, resourceId }) =>
        [clientId, objectId, resourceId].includes(name),
      ),
    federatedCredentials: (clientId) => credentials.filter((credential) => credential.clientId === clientId),
  }
}
