/** What Google writes into identity tokens, for workloads and for people. */

import type { NumericDate } from '../../contract/proof.ts'
import type { Claims } from '../../kit/stand-in-keys.ts'
import { type CloudState, createUniqueId } from './cloud-state.ts'

/** What every identity token names as `iss`. */
export const GOOGLE_ISSUER = 'https://accounts.google.com'

/** Life of an identity token, in seconds. */
export const IDENTITY_TOKEN_SECONDS = 3_600

/** `serverless` is Cloud Run, Functions and App Engine; `gke_pod` is a pod whose Kubernetes account is linked to a Google one. */
export type Place = 'vm' | 'serverless' | 'gke_pod'

/** A virtual machine, in the words of the token. */
export interface Instance {
  readonly project_id: string
  readonly project_number: number
  readonly zone: string
  readonly instance_id: string
  readonly instance_name: string
  readonly instance_creation_timestamp: NumericDate
  readonly instance_confidentiality: 0 | 1
}

/** Who runs where: whom the metadata server speaks for. */
export interface Workload {
  readonly place: Place
  /** The e-mail address of the attached service account. */
  readonly account: string
  readonly instance: Instance
}

export interface TokenWish {
  readonly audience: string
  /** `full` by default, as the official library asks. Only a virtual machine has more to say in it. */
  readonly format?: 'full' | 'standard'
  readonly licenses?: boolean
  /** The metadata server always writes the e-mail address; generateIdToken only where it is asked to. */
  readonly includeEmail?: boolean
  /** Writes the e-mail address into `azp`, as generateIdToken does where it is asked to. */
  readonly useEmailAzp?: boolean
  /** Another workload than the one that runs. */
  readonly workload?: Workload
}

/** Gives the claims of an identity token for a workload. Throws where its account does not exist. */
export function claimsFor(wish: TokenWish, running: Workload, state: CloudState, now: NumericDate): Claims {
  const { workload = running, includeEmail = true, format = 'full' } = wish
  const account = state.serviceAccount(workload.account)
  if (account === undefined) throw new Error(`service account ${workload.account} not found`)
  return {
    aud: wish.audience,
    azp: wish.useEmailAzp === true ? account.email : account.uniqueId,
    ...(includeEmail ? { email: account.email, email_verified: true } : {}),
    exp: now + IDENTITY_TOKEN_SECONDS,
    ...(format === 'full' && workload.place === 'vm' ? { google: machineClaims(workload.instance, wish) } : {}),
    iat: now,
    iss: GOOGLE_ISSUER,
    sub: account.uniqueId,
  }
}

/** A public image of a free operating system. */
const LICENSES = ['1000204']

function machineClaims(instance: Instance, { licenses = false }: TokenWish): Claims {
  return { compute_engine: { ...instance, ...(licenses ? { license_id: LICENSES } : {}) } }
}

export interface Person {
  readonly email: string
  /** The Google Workspace domain, where the person belongs to one. */
  readonly hostedDomain?: string
  /** The OAuth client that the person signed in to; the one of the command line tool by default. */
  readonly clientId?: string
  /** Whom the token is for; the client itself by default, since a person cannot choose. */
  readonly audience?: string
}

const COMMAND_LINE_CLIENT = '32555940559.apps.googleusercontent.com'

/** Gives the claims of a person's token, as `gcloud auth print-identity-token` prints it: never a workload's proof. */
export function claimsOfPerson(person: Person, now: NumericDate): Claims {
  const { email, hostedDomain, clientId = COMMAND_LINE_CLIENT, audience = clientId } = person
  return {
    iss: GOOGLE_ISSUER,
    azp: clientId,
    aud: audience,
    sub: createUniqueId(),
    ...(hostedDomain === undefined ? {} : { hd: hostedDomain }),
    email,
    email_verified: true,
    at_hash: 'x0lvGkxVJBlR4rGF8kZz7w',
    iat: now,
    exp: now + IDENTITY_TOKEN_SECONDS,
  }
}
