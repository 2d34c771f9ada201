/** Web-identity tokens of a scene, and such as no STS would give. */

import type { TokenAlgorithm } from '../../providers/aws/stand-in/account-keys.ts'
import type { Session } from '../../providers/aws/stand-in/sessions.ts'
import { ACCOUNT, type AwsScene } from './aws-scene.ts'
import { BROKER } from './document.ts'

/** The member that AWS's own claims stand in. */
export const AWS_CLAIMS = 'https://sts.amazonaws.com/'

export type Members = Readonly<Record<string, unknown>>

export interface ForgeWish {
  readonly session?: Session
  /** Whose key signs. */
  readonly signer?: string
  readonly algorithm?: TokenAlgorithm
  readonly header?: Members
}

/** Gives a genuine token of the role, or of another session. */
export function tokenOf(scene: AwsScene, session: Session = scene.assume()): Promise<string> {
  return scene.aws.webIdentityToken(session, { audiences: [BROKER] })
}

/** Gives a token with other claims, under the account's own signature. Undefined removes a member. */
export function forgeToken(scene: AwsScene, claims: Members, wish: ForgeWish = {}): Promise<string> {
  const { session = scene.assume(), signer = ACCOUNT, algorithm, header } = wish
  const all = { ...scene.aws.claimsFor(session, { audiences: [BROKER] }), ...claims }
  return scene.aws.sign(signer, withoutUndefined(all), algorithm, header)
}

/** Gives a token in which AWS's own claims are others, and those of the JWT as well where they are given. */
export function forgeAwsClaims(
  scene: AwsScene,
  own: Members,
  claims: Members = {},
  wish: ForgeWish = {},
): Promise<string> {
  const { session = scene.assume() } = wish
  const genuine = scene.aws.claimsFor(session, { audiences: [BROKER] })[AWS_CLAIMS] as Members
  return forgeToken(scene, { [AWS_CLAIMS]: withoutUndefined({ ...genuine, ...own }), ...claims }, { ...wish, session })
}

function withoutUndefined(members: Members): Members {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}
