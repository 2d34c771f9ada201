/** A scene whose broker asks the cluster about every proof. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type DocumentParts, documentFor } from './document.ts'
import { openScene, type Scene, type SceneOptions } from './scene.ts'

export const REVIEW_PATH = '/apis/authentication.k8s.io/v1/tokenreviews'

/** The file with the reviewer's credential, as a document names it. */
export const REVIEWER_FILE = 'reviewer'

export interface ReviewScene extends Scene {
  /** Reviews that the cluster was asked for so far. */
  countReviews(): number
  /** Puts another credential, or any other secret, where the broker finds it. */
  writeSecret(name: string, text: string): void
}

export interface ReviewSceneOptions extends Pick<SceneOptions, 'cluster' | 'broker'> {
  /** Other members of the trusted issuer; its keys are found by discovery otherwise. */
  readonly issuer?: (cluster: Scene['cluster']) => object
  /** Other members of its `token_review`. */
  readonly review?: object
  /** Other parts of the document. */
  readonly parts?: DocumentParts
}

/** Opens a scene with `token_review`, and the reviewer's own credential. */
export async function openReviewScene(options: ReviewSceneOptions = {}): Promise<ReviewScene> {
  const { issuer: more = () => ({}), review = {}, parts = {}, ...rest } = options
  const scene = await openScene({
    ...rest,
    document: (cluster) => {
      const token_review = { api_server: cluster.origin, token_file: REVIEWER_FILE, ...review }
      const issuer = { provider: 'kubernetes', issuers: [cluster.issuer], token_review, ...more(cluster) }
      return documentFor(cluster.issuer, { trusted_issuers: { cluster: issuer }, ...parts })
    },
  })
  const writeSecret = (name: string, text: string): void => writeFileSync(join(scene.broker.directory, name), text)
  writeSecret(REVIEWER_FILE, `${scene.cluster.reviewerToken}\n`)
  scene.broker.watch(scene.cluster.reviewerToken)
  return {
    ...scene,
    countReviews: () => scene.cluster.requests.filter(({ path }) => path === REVIEW_PATH).length,
    writeSecret,
  }
}
