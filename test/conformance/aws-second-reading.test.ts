/** What a second reading of the AWS provider found: each of these was once not so. */

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { readEnvelope } from '../../providers/aws/envelope.ts'
import { AWS4_REQUEST_TYPE } from '../../providers/aws/signed-request.ts'
import { errorAnswer, StsError } from '../../providers/aws/stand-in/sts-protocol.ts'
import { ProofError } from '../../providers/contract/errors.ts'
import { createCircuitBreaker } from '../../providers/kit/circuit-breaker.ts'
import { signedRequest } from '../support/aws-parts.ts'
import { keysOf, openWorkload } from '../support/aws-workload.ts'
import { createTestClock } from '../support/clock.ts'
import { BROKER } from '../support/document.ts'
import { rejection } from '../support/rejection.ts'
import { GENUINE, numberedRequest, openStsBench } from '../support/sts-bench.ts'

const NEVER = new AbortController().signal
const SIGNED = { proof: 'signed_request' }

test('an error that STS blames on the sender stops nobody else', async () => {
  const bench = await openStsBench()
  const { signature } = signedRequest()
  const blamed = { status: 403, body: { Error: { Type: 'Sender', Code: 'OptInRequired', Message: 'x' } } }
  bench.answer = ({ headers }) => (headers.authorization?.endsWith(signature) === true ? GENUINE : blamed)
  for (let number = 0; number < 5; number++) await rejection(bench.ask(numberedRequest(number)))

  expect(await bench.ask(signedRequest())).toMatchObject({ account: '123456789012' })
})

test('stops waiting for credentials when the signal says so', async () => {
  const silent = createServer(() => undefined).listen(0, '127.0.0.1')
  onTestFinished(() => {
    silent.closeAllConnections()
    silent.close()
  })
  await once(silent, 'listening')
  const { enter, prove } = await openWorkload()
  const uri = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/credentials`
  enter({ AWS_CONTAINER_CREDENTIALS_FULL_URI: uri, AWS_CONTAINER_AUTHORIZATION_TOKEN: 'x' })
  const controller = new AbortController()
  const refusal = rejection(prove(SIGNED, controller.signal))
  await once(silent, 'request')
  controller.abort()

  expect((await refusal).code).toBe('upstream_timeout')
}, 5_000)

test('signs nothing when the signal has already said so', async () => {
  const { enter, prove, session } = await openWorkload()
  enter(keysOf(session))

  expect((await rejection(prove(SIGNED, AbortSignal.abort()))).code).toBe('upstream_timeout')
})

test('without a region it ends in an error of ours', async () => {
  const { enter, prove, session } = await openWorkload()
  enter({ ...keysOf(session), AWS_REGION: undefined })

  expect((await rejection(prove(SIGNED))).message).toContain('region')
})

test('eight proofs of one second are eight', async () => {
  const { enter, prover, session } = await openWorkload()
  enter(keysOf(session))
  const own = prover(SIGNED)
  const proofs = await Promise.all(Array.from({ length: 8 }, () => own.prove({ proofAudience: BROKER }, NEVER)))

  expect(new Set(proofs.map(({ subjectToken }) => readEnvelope(subjectToken).signature)).size).toBe(8)
})

test.each(['InvalidAction', 'SessionDurationEscalationException'])('signs a request after %s', async (code) => {
  const { enter, prove, session, aws } = await openWorkload()
  enter(keysOf(session))
  aws.fail('/', errorAnswer(new StsError(code === 'InvalidAction' ? 400 : 403, code, 'x'), 'xml'))

  expect((await prove()).subjectTokenType).toBe(AWS4_REQUEST_TYPE)
})

test('no error holds the request, however it is looked at', async () => {
  const { enter, prove, session, aws } = await openWorkload()
  enter(keysOf(session))
  aws.fail('/', errorAnswer(new StsError(403, 'ExpiredTokenException', 'x'), 'xml'))
  const text = inspect(await rejection(prove()), { depth: null, showHidden: true })

  expect(text.includes(session.sessionToken ?? '')).toBe(false)
})

test('makes one attempt at a time after the rest, though an older one ends meanwhile', async () => {
  const clock = createTestClock()
  const breaker = createCircuitBreaker(clock.now)
  const fail = () => Promise.reject(new ProofError('upstream_timeout', 'no answer'))
  const old = Promise.withResolvers<never>()
  const early = rejection(breaker.guard(() => old.promise))
  for (let time = 0; time < 5; time++) await rejection(breaker.guard(fail))
  clock.advance(5)
  const gate = Promise.withResolvers<void>()
  const trial = breaker.guard(() => gate.promise)
  old.reject(new ProofError('upstream_timeout', 'no answer'))
  await early
  clock.advance(5)
  let tries = 0
  await breaker.guard(async () => tries++).catch(() => undefined)
  gate.resolve()
  await trial

  expect(tries).toBe(0)
})

test('says what is wrong where the SDK takes no endpoint together with FIPS', async () => {
  const { enter, prove, session } = await openWorkload()
  enter({ ...keysOf(session), AWS_USE_FIPS_ENDPOINT: 'true' })

  expect((await rejection(prove(SIGNED))).message).not.toContain('no credentials')
})
