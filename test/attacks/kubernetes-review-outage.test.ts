/** Attacks with a token review that gives no answer, or one that cannot be believed: never a token. */

import { rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { decodeJwt } from 'jose'
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest'
import { type Failure, startStandInServer } from '../../providers/kit/stand-in-server.ts'
import { expectIssued, expectRefusal } from '../support/answers.ts'
import { type Certificate, createAuthority } from '../support/certificates.ts'
import { openReviewScene, REVIEW_PATH, REVIEWER_FILE, type ReviewScene } from '../support/review.ts'

let scene: ReviewScene
beforeAll(async () => {
  scene = await openReviewScene()
})
afterEach(() => scene.cluster.recover())
afterAll(() => scene.close())

/** What an authenticated review would look like, whatever the status says. */
function acceptance(status: number): Failure {
  const body = { kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1', status: { authenticated: true } }
  return { status, body }
}

test.each([202, 204, 304, 400, 401, 403, 404, 409, 418, 422, 429, 500, 502, 503, 504])(
  'K8S-14 gives no token where the review ends with %i',
  async (status) => {
    scene.cluster.fail(REVIEW_PATH, acceptance(status))

    const reply = await scene.broker.exchange(await scene.proof())

    expectRefusal(scene.broker, reply, 'TU', status === 304 ? 'upstream_redirected' : 'upstream_status')
  },
)

test('K8S-14 gives no token where the API server hangs up', async () => {
  scene.cluster.fail(REVIEW_PATH, 'down')

  expectRefusal(scene.broker, await scene.broker.exchange(await scene.proof()), 'TU', 'upstream_unreachable')
})

test('K8S-14 gives no token where the review does not end in time', async () => {
  scene.cluster.fail(REVIEW_PATH, 'slow')

  expectRefusal(scene.broker, await scene.broker.exchange(await scene.proof()), 'TU', 'upstream_timeout')
})

const NO_REVIEWS: readonly (readonly [string, string])[] = [
  ['another object', '{"kind":"Status","status":{"authenticated":true}}'],
  ['no kind', '{"status":{"authenticated":true}}'],
  ['no status', '{"kind":"TokenReview"}'],
  ['a status in a list', '{"kind":"TokenReview","status":[{"authenticated":true}]}'],
  ['a status as text', '{"kind":"TokenReview","status":"authenticated"}'],
  ['a verdict named twice', '{"kind":"TokenReview","status":{"authenticated":false,"authenticated":true}}'],
  [
    'a verdict named twice, once escaped',
    '{"kind":"TokenReview","status":{"authenticated":false,"\\u0061uthenticated":true}}',
  ],
  ['a verdict of a prototype', '{"kind":"TokenReview","status":{"__proto__":{"authenticated":true}}}'],
  ['a list', '[{"kind":"TokenReview","status":{"authenticated":true}}]'],
  ['text', '"authenticated"'],
  ['nothing', ''],
  ['a page', '<html><body>authenticated: true</body></html>'],
  ['half an object', '{"kind":"TokenReview","status":{"authenticated":true'],
  ['two objects', '{"kind":"TokenReview","status":{}}{"kind":"TokenReview","status":{"authenticated":true}}'],
]

test.each(NO_REVIEWS)('K8S-14 gives no token where the answer is %s', async (_, body) => {
  scene.cluster.fail(REVIEW_PATH, { status: 201, body })

  expectRefusal(scene.broker, await scene.broker.exchange(await scene.proof()), 'TU', 'upstream_malformed')
})

test('K8S-14 an outage is not remembered: the same proof is good once the cluster is back', async () => {
  const proof = await scene.proof()
  scene.cluster.fail(REVIEW_PATH, acceptance(500))
  expectRefusal(scene.broker, await scene.broker.exchange(proof), 'TU', 'upstream_status')

  scene.cluster.recover()
  expectIssued(scene.broker, await scene.broker.exchange(proof))
})

test('K8S-14 an earlier review does not outlive its ten seconds in an outage', async () => {
  const proof = await scene.proof()
  expectIssued(scene.broker, await scene.broker.exchange(proof))
  scene.cluster.fail('*', 'down')

  scene.clock.advance(9)
  expectIssued(scene.broker, await scene.broker.exchange(proof))
  scene.clock.advance(1)
  expectRefusal(scene.broker, await scene.broker.exchange(proof), 'TU', 'upstream_unreachable')
})

test.each(['not-a-credential', '', 'with\r\nx-injected: 1', 'cr\u00e9dit'])(
  'K8S-14 gives no token with the reviewer’s credential %j, and takes a better one within a minute',
  async (credential) => {
    scene.writeSecret(REVIEWER_FILE, credential)
    scene.clock.advance(60)
    const reply = await scene.broker.exchange(await scene.proof())
    expect(reply.status).toBe(503)
    expect(scene.broker.records().at(-1)?.reason).toMatch(/^upstream_(status|unreachable)$/)

    scene.writeSecret(REVIEWER_FILE, scene.cluster.reviewerToken)
    scene.clock.advance(60)
    expectIssued(scene.broker, await scene.broker.exchange(await scene.proof()))
    expect(scene.cluster.requests.some(({ headers }) => 'x-injected' in headers)).toBe(false)
  },
)

test('K8S-14 gives no token where the reviewer’s credential is not there, or lies elsewhere', async () => {
  const elsewhere = join(tmpdir(), `chancery-reviewer-${process.pid}`)
  writeFileSync(elsewhere, scene.cluster.reviewerToken)
  onTestFinished(() => rmSync(elsewhere))
  const file = join(scene.broker.directory, REVIEWER_FILE)

  rmSync(file)
  scene.clock.advance(60)
  expectRefusal(scene.broker, await scene.broker.exchange(await scene.proof()), 'TU', 'file_unreadable')
  symlinkSync(elsewhere, file)
  expectRefusal(scene.broker, await scene.broker.exchange(await scene.proof()), 'TU', 'file_unreadable')
  rmSync(file)
  scene.writeSecret(REVIEWER_FILE, scene.cluster.reviewerToken)
  expectIssued(scene.broker, await scene.broker.exchange(await scene.proof()))
})

const API_HOST = 'api.edge.example'

/** A scene whose API server has a certificate; its keys are in the document, so that only the review needs TLS. */
async function openTlsScene(certificate: Certificate, authority?: string): Promise<ReviewScene> {
  const scene = await openReviewScene({
    cluster: { tls: certificate, hostname: API_HOST, issuer: 'https://cluster.example' },
    issuer: ({ jwks }) => ({ keys: { from: 'inline', jwks } }),
    review: authority === undefined ? {} : { ca_file: 'ca.pem' },
    broker: {
      resolve: async () => [{ address: '127.0.0.1', family: 4 }],
      secrets: authority === undefined ? {} : { 'ca.pem': authority },
    },
  })
  onTestFinished(() => scene.close())
  return scene
}

test('K8S-14 gives no token to an API server whose certificate nobody vouches for', async () => {
  const tls = await openTlsScene(createAuthority('edge').issue({ hostnames: [API_HOST] }))

  expectRefusal(tls.broker, await tls.broker.exchange(await tls.proof()), 'TU', 'upstream_unreachable')
  expect(tls.cluster.requests).toHaveLength(0)
})

test('K8S-14 takes the API server’s certificate from the authority that the document names, and from no other', async () => {
  const authority = createAuthority('edge')
  const tls = await openTlsScene(authority.issue({ hostnames: [API_HOST] }), createAuthority('edge').cert)
  expectRefusal(tls.broker, await tls.broker.exchange(await tls.proof()), 'TU', 'upstream_unreachable')

  tls.writeSecret('ca.pem', authority.cert)
  tls.clock.advance(60)
  const { token } = expectIssued(tls.broker, await tls.broker.exchange(await tls.proof()))
  expect(decodeJwt(token)).toMatchObject({ proof: { live: true } })

  tls.writeSecret('ca.pem', 'no certificate')
  tls.clock.advance(60)
  expectRefusal(tls.broker, await tls.broker.exchange(await tls.proof()), 'TU', 'file_unreadable')
})

test.each(['', '\n', '# the authorities of edge\n'])(
  'K8S-14 an authority file with nobody in it (%j) does not stand for everybody whom the system trusts',
  async (empty) => {
    const authority = createAuthority('public')
    const before = getCACertificates('default')
    setDefaultCACertificates([...before, authority.cert])
    onTestFinished(() => setDefaultCACertificates(before))
    const tls = await openTlsScene(authority.issue({ hostnames: [API_HOST] }), empty)

    const reply = await tls.broker.exchange(await tls.proof())

    expect(tls.cluster.requests).toHaveLength(0)
    expect({ status: reply.status, error: reply.json.error }).toEqual({ status: 503, error: 'temporarily_unavailable' })
  },
)

test.each([
  ['for another host', { hostnames: ['api.other.example'] }],
  ['that has run out', { hostnames: [API_HOST], validDays: [-3, -2] as const }],
])('K8S-14 gives no token to an API server with a certificate %s', async (_, wish) => {
  const authority = createAuthority('edge')
  const tls = await openTlsScene(authority.issue(wish), authority.cert)

  expectRefusal(tls.broker, await tls.broker.exchange(await tls.proof()), 'TU', 'upstream_unreachable')
  expect(tls.cluster.requests).toHaveLength(0)
})

test('K8S-15 gives no token where the answer is larger than any review', async () => {
  const padded = JSON.stringify({ kind: 'TokenReview', status: {}, padding: ' '.repeat(65_536) })

  scene.cluster.fail(REVIEW_PATH, 'huge')
  expectRefusal(scene.broker, await scene.broker.exchange(await scene.proof()), 'TU', 'upstream_too_large')
  scene.cluster.fail(REVIEW_PATH, { status: 201, headers: { 'content-length': '65537' }, body: padded })
  expectRefusal(scene.broker, await scene.broker.exchange(await scene.proof()), 'TU', 'upstream_too_large')
  scene.cluster.fail(REVIEW_PATH, { status: 201, body: padded })
  expectRefusal(scene.broker, await scene.broker.exchange(await scene.proof()), 'TU', 'upstream_too_large')
})

test.each([301, 302, 303, 307, 308])(
  'K8S-15 does not follow a redirect (%i), nor hand the credential on',
  async (status) => {
    const thief = await startStandInServer({ route: () => ({ status: 201, body: {} }) })
    onTestFinished(() => thief.close())
    scene.cluster.fail(REVIEW_PATH, { status, headers: { location: `${thief.origin}${REVIEW_PATH}` } })

    expectRefusal(scene.broker, await scene.broker.exchange(await scene.proof()), 'TU', 'upstream_redirected')
    expect(thief.requests).toHaveLength(0)
  },
)

test('K8S-15 gives no token where the answer is encoded', async () => {
  scene.cluster.fail(REVIEW_PATH, 'encoded')

  expectRefusal(scene.broker, await scene.broker.exchange(await scene.proof()), 'TU', 'upstream_encoded')
})
