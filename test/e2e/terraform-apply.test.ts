/** From Terraform to a token: an example is applied, a broker takes it, every cloud proves itself, and a change takes effect under load. */

import { execFile } from 'node:child_process'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { decodeJwt } from 'jose'
import { expect, onTestFinished, test } from 'vitest'
import { AWS4_REQUEST_TYPE } from '../../providers/aws/signed-request.ts'
import { encodeSignedRequest } from '../../providers/aws/stand-in/signed-request.ts'
import { type AwsStandIn, startAwsStandIn } from '../../providers/aws/stand-in/stand-in.ts'
import { startAzureStandIn } from '../../providers/azure/stand-in/stand-in.ts'
import { startGoogleStandIn } from '../../providers/gcp/stand-in/stand-in.ts'
import { startKubernetesStandIn } from '../../providers/kubernetes/stand-in/stand-in.ts'
import { ACCOUNT } from '../support/aws-scene.ts'
import { entraEntry, settle } from '../support/azure-scene.ts'
import { type Reply, startTestBroker, type TestBroker } from '../support/broker.ts'
import { createTestClock } from '../support/clock.ts'
import { BROKER } from '../support/document.ts'
import { hasTool } from '../support/found-tool.ts'
import { subjectOf } from '../support/google-scene.ts'
import { makeScratch } from '../support/scratch.ts'
import { copyInfra } from '../support/terraform-copy.ts'

const run = promisify(execFile)
const EXAMPLE = join('examples', 'three-clouds')
const API = 'spiffe://corp.example/payments/api'
const BATCH = 'spiffe://corp.example/payments/batch'
/** Proofs that are sent at any time while Terraform works. */
const LOAD = 4

/** Four clouds, and what the example is told of them. */
async function openClouds() {
  const clock = createTestClock()
  const { now } = clock
  const [cluster, aws, google, azure] = await Promise.all([
    startKubernetesStandIn({ now }),
    startAwsStandIn({ now }),
    startGoogleStandIn({ now }),
    startAzureStandIn({ now }),
  ])
  onTestFinished(async () => {
    await Promise.all([cluster.close(), aws.close(), google.close(), azure.close()])
  })
  cluster.createServiceAccount('payments', 'api')
  aws.createAccount(ACCOUNT, {})
  const made = settle(azure)
  const { provider: _provider, tenant_id, proof_audiences: _audiences, ...entra } = entraEntry(made) as Entra
  const inputs = (role: string): object => ({
    issuer: BROKER,
    eks: { cluster_issuer: cluster.issuer, batch_role_arn: `arn:aws:iam::${ACCOUNT}:role/jobs/${role}` },
    gke: { cluster_id: 'projects/corp-prod/locations/europe-west1/clusters/prod', batch_unique_id: subjectOf(google) },
    aks: {
      cluster_issuer: 'https://westeurope.oic.prod-aks.azure.com/tenant/cluster/',
      tenant_id,
      application_id_uri: made.proofAudiences[0],
      batch_principal_id: made.identity.objectId,
    },
    stand_ins: {
      insecure_hosts: [cluster.host, aws.host, google.host, azure.host],
      settings: {
        aws: { sts_endpoint: aws.origin },
        google: { keys: { from: 'url', url: google.keysUrl } },
        entra,
      },
    },
  })
  return { clock, cluster, aws, google, azure, made, inputs }
}

interface Entra {
  readonly provider: string
  readonly tenant_id: string
  readonly proof_audiences: readonly string[]
}

/** Applies the example while whatever else is under way goes on, and puts its documents where the broker looks. */
async function apply(directory: string, inputs: object, documents: string): Promise<void> {
  const env = { ...process.env, TF_CLI_CONFIG_FILE: '/dev/null', CHECKPOINT_DISABLE: '1' }
  const terraform = (...args: readonly string[]) => run('terraform', args, { cwd: directory, env })
  writeFileSync(join(directory, 'terraform.tfvars.json'), JSON.stringify(inputs))
  await terraform('init', '-input=false')
  await terraform('apply', '-input=false', '-auto-approve')
  const { stdout } = await terraform('output', '-json', 'documents')
  for (const [name, text] of Object.entries(JSON.parse(stdout) as Record<string, string>)) {
    writeFileSync(join(documents, `.${name}`), text)
    renameSync(join(documents, `.${name}`), join(documents, name))
  }
}

/** A request of a role's, for the broker: each is another proof. */
async function askAs(role: string, aws: AwsStandIn, broker: TestBroker): Promise<Reply> {
  const session = aws.assumeRole(aws.createRole(ACCOUNT, role), `job-${crypto.randomUUID().slice(0, 8)}`)
  const envelope = encodeSignedRequest(aws.signedRequest(session, { audience: BROKER }))
  return await broker.exchange(envelope, { subject_token_type: AWS4_REQUEST_TYPE })
}

function subjectIn({ status, json, text }: Reply): unknown {
  return status === 200 ? decodeJwt(String(json.access_token)).sub : text
}

test.skipIf(!hasTool('terraform', 'from Terraform to a token'))(
  'what is applied decides every cloud’s exchanges, and a change of one binding takes effect with no restart and no failed exchange',
  { timeout: 120_000 },
  async () => {
    const { clock, cluster, aws, google, azure, made, inputs } = await openClouds()
    const directory = join(copyInfra(), EXAMPLE)
    const documents = join(makeScratch(), 'federation')
    mkdirSync(documents)
    await apply(directory, inputs('batch-old'), documents)

    const insecureHosts = [cluster.host, aws.host, google.host, azure.host]
    const broker = await startTestBroker({ clock, document: {}, insecureHosts, flags: { federation: documents } })
    onTestFinished(() => broker.stop())
    const proof = await cluster.requestToken({ namespace: 'payments', serviceAccount: 'api', audiences: [BROKER] })
    const { clientId } = made.identity

    expect(subjectIn(await broker.exchange(proof))).toBe(API)
    expect(subjectIn(await askAs('batch-old', aws, broker))).toBe(BATCH)
    expect(subjectIn(await askAs('batch-new', aws, broker))).toContain('invalid_request')
    expect(subjectIn(await broker.exchange(await google.requestToken({ audience: BROKER })))).toBe(BATCH)
    const managed = await azure.requestToken({ resource: made.proofAudiences[0], clientId })
    expect(subjectIn(await broker.exchange(managed))).toBe(BATCH)

    const failed: string[] = []
    let count = 0
    let isDone = false
    const load = Array.from({ length: LOAD }, async () => {
      while (!isDone) {
        const reply = await broker.exchange(proof)
        count += 1
        if (subjectIn(reply) !== API) failed.push(reply.text)
      }
    })
    await apply(directory, inputs('batch-new'), documents)
    const since = performance.now()
    let moved: Reply
    do moved = await askAs('batch-new', aws, broker)
    while (moved.status !== 200 && performance.now() - since < 20_000)
    const old = await askAs('batch-old', aws, broker)
    isDone = true
    await Promise.all(load)

    expect(subjectIn(moved)).toBe(BATCH)
    expect(old.status).toBe(400)
    expect(failed).toEqual([])
    process.stdout.write(`${count} exchanges while a change was applied and took effect, ${failed.length} failed\n`)
    expect(count).toBeGreaterThan(10)
  },
)
