/** An STS that answers when a test tells it to, and a broker behind a proxy that asks it. */

import { request as sendHttp } from 'node:http'
import { AWS4_REQUEST_TYPE } from '../../providers/aws/signed-request.ts'
import { encodeSignedRequest, type SignedRequest } from '../../providers/aws/stand-in/signed-request.ts'
import { type StandInAnswer, type StandInRequest, startStandInServer } from '../../providers/kit/stand-in-server.ts'
import type { Flags } from '../../src/config.ts'
import { ACCOUNT, type AwsScene, awsDocumentFor, openAwsScene } from './aws-scene.ts'
import { formOf, type Reply, type TestBroker } from './broker.ts'

/** A question that waits for its answer. */
export interface HeldQuestion {
  readonly request: StandInRequest
  readonly answer: (answer: StandInAnswer) => void
}

export interface GatedScene {
  readonly scene: AwsScene
  /** Every question so far, in the order in which they came. */
  readonly questions: readonly HeldQuestion[]
  /** Sends a request as somebody at this address. */
  sendFrom(address: string, request: SignedRequest): Promise<Reply>
  /** Sends a request on a connection of its own, and gives what drops it. */
  sendAndLeave(request: SignedRequest): () => void
  close(): Promise<void>
}

/** Opens a scene whose STS keeps every question. */
export async function openGatedScene(flags: Flags = { 'trusted-proxy': ['127.0.0.1'] }): Promise<GatedScene> {
  const questions: HeldQuestion[] = []
  const sts = await startStandInServer({
    route: (request) => new Promise((answer) => void questions.push({ request, answer })),
  })
  const scene = await openAwsScene({
    document: (aws) => awsDocumentFor(aws, { accounts: { [ACCOUNT]: {} }, sts_endpoint: sts.origin }),
    broker: { insecureHosts: [sts.host], flags },
  })
  return {
    scene,
    questions,
    sendFrom: (address, request) =>
      scene.broker.send('/token', {
        method: 'POST',
        body: formFor(request, scene.broker),
        headers: { 'x-forwarded-for': address },
      }),
    sendAndLeave(request) {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      const sent = sendHttp(`${scene.broker.origin}/token`, { method: 'POST', agent: false, headers })
      sent.on('error', () => undefined)
      sent.end(formFor(request, scene.broker).toString())
      return () => void sent.destroy()
    },
    async close() {
      await scene.close()
      await sts.close()
    },
  }
}

function formFor(request: SignedRequest, broker: TestBroker): URLSearchParams {
  const proof = encodeSignedRequest(request)
  broker.watch(proof)
  return formOf(proof, { subject_token_type: AWS4_REQUEST_TYPE })
}
