/** Three clouds have their metadata services at one address. Each is asked in its own way, and known by what only it answers. */

import { Agent, request } from 'node:http'
import { isJsonObject, memberOf, readJsonObject } from '../../providers/contract/strict-json.ts'

/** The clouds whose metadata services are at that address. */
export type CloudName = 'aws' | 'azure' | 'gcp'

/** Time for all three answers together, in seconds. */
export const METADATA_SECONDS = 1

/** Largest answer that is read, in bytes: Azure's description of a machine is the longest, at a few thousand. */
const MAX_ANSWER_BYTES = 65_536

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

interface Question {
  readonly cloud: CloudName
  readonly method: 'GET' | 'PUT'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly isAnsweredBy: (answer: Answer) => boolean
}

const QUESTIONS: readonly Question[] = [
  {
    // https://cloud.google.com/compute/docs/metadata/querying-metadata
    cloud: 'gcp',
    method: 'GET',
    path: '/computeMetadata/v1/instance/id',
    headers: { 'metadata-flavor': 'Google' },
    isAnsweredBy: ({ headers }) => headers['metadata-flavor'] === 'Google',
  },
  {
    // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
    cloud: 'aws',
    method: 'PUT',
    path: '/latest/api/token',
    headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '60' },
    isAnsweredBy: ({ status, headers }) =>
      status === 200 && headers['x-aws-ec2-metadata-token-ttl-seconds'] !== undefined,
  },
  {
    // https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service
    cloud: 'azure',
    method: 'GET',
    path: '/metadata/instance?api-version=2021-02-01',
    headers: { metadata: 'true' },
    isAnsweredBy: ({ status, text }) => status === 200 && describesMachine(text),
  },
]

function describesMachine(text: string): boolean {
  const body = readJsonObject(text, 16)
  return body !== undefined && isJsonObject(memberOf(body, 'compute'))
}

/**
 * Asks the metadata address for all three clouds at once, and gives those whose own answer came within a second. An answer that
 * any server could give names no cloud. Goes past every proxy and follows no redirect.
 */
export async function findCloudAtMetadata(
  origin: string,
  signal: AbortSignal,
): Promise<{ readonly found: readonly CloudName[]; readonly outcome: string }> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(METADATA_SECONDS * 1_000)])
  const answers = await Promise.all(
    QUESTIONS.map((question) => ask(origin, question, limit).then(question.isAnsweredBy, () => undefined)),
  )
  signal.throwIfAborted()
  const found = QUESTIONS.filter((_, index) => answers[index] === true).map(({ cloud }) => cloud)
  const isSilent = answers.every((answer) => answer === undefined)
  return { found, outcome: isSilent ? `no answer within ${METADATA_SECONDS} s` : 'it answers as no cloud does' }
}

function ask(origin: string, { method, path, headers }: Question, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    // An agent of its own: the global one may go through a proxy of the environment.
    const agent = new Agent({ keepAlive: false })
    const asked = request(new URL(path, origin), { method, headers, agent, signal }, (response) => {
      const chunks: Buffer[] = []
      let size = 0
      response.on('data', (chunk: Buffer) => {
        size += chunk.byteLength
        if (size > MAX_ANSWER_BYTES) response.destroy(new Error('too large'))
        else chunks.push(chunk)
      })
      response.on('error', reject)
      response.on('end', () => {
        const { statusCode: status = 0, headers: answered } = response
        resolve({ status, headers: answered, text: Buffer.concat(chunks).toString() })
      })
    })
    asked.on('error', reject)
    asked.end()
  })
}
