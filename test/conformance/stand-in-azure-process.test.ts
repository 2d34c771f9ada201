/** Several stand-ins in one process, and one SDK that remembers the first for as long as the process lives. */

import { decodeJwt } from 'jose'
import { describe, expect, test } from 'vitest'
import { azureProver } from '../../providers/azure/prover.ts'
import { startAzureStandIn } from '../../providers/azure/stand-in/stand-in.ts'
import { azureStandIn } from '../../providers/azure/stand-in/stand-in-provider.ts'
import type { StandIn } from '../../providers/contract/stand-in.ts'
import { runAzureWorkload } from '../support/azure-workload.ts'
import { createTestClock } from '../support/clock.ts'

const BROKER = 'https://broker.example'
const NEVER = new AbortController().signal
const systemClock = (): number => Math.floor(Date.now() / 1_000)

async function prove(standIn: StandIn): Promise<{ oid: unknown; exp: unknown; expiresAt: number }> {
  const ports = await standIn.prover.ports(BROKER)
  const prover = azureProver.createProver(standIn.prover.settings, ports)
  const { subjectToken, expiresAt } = await prover.prove({ proofAudience: BROKER }, NEVER)
  const { oid, exp } = decodeJwt(subjectToken)
  return { oid, exp, expiresAt }
}

const objectOf = ({ attributes }: StandIn): unknown => attributes['azure.object_id']

describe('stand-ins for Azure', () => {
  test('may run side by side and one after the other, each with its own tokens', async () => {
    const first = await azureStandIn.start({ now: systemClock })
    const second = await azureStandIn.start({ now: systemClock })

    expect((await prove(first)).oid).toBe(objectOf(first))
    expect((await prove(second)).oid).toBe(objectOf(second))
    await first.close()
    expect((await prove(second)).oid).toBe(objectOf(second))
    await second.close()

    const third = await azureStandIn.start({ now: systemClock })
    expect((await prove(third)).oid).toBe(objectOf(third))
    await third.close()
  })

  test('lend the environment while any of them runs, and give it back', async () => {
    const names = ['IDENTITY_ENDPOINT', 'IDENTITY_HEADER', 'AZURE_FEDERATED_TOKEN_FILE']
    const environment = () => names.map((name) => process.env[name])
    process.env.AZURE_FEDERATED_TOKEN_FILE = '/a/token'
    const before = environment()
    const first = await azureStandIn.start({ now: systemClock })
    const second = await azureStandIn.start({ now: systemClock })
    const lent = environment()

    await first.close()
    expect(environment()).toEqual(lent)
    await second.close()

    expect(before).toEqual([undefined, undefined, '/a/token'])
    expect(lent).toEqual([expect.stringMatching(/\/msi\/token$/), expect.any(String), undefined])
    expect(environment()).toEqual(before)
    delete process.env.AZURE_FEDERATED_TOKEN_FILE
  })

  test.each([
    ['long ago', 1_000_000_000],
    ['far ahead', 3_000_000_000],
  ])('prove with a clock that stands %s, again and again', async (_, start) => {
    const clock = createTestClock(start)
    const standIn = await azureStandIn.start({ now: clock.now })

    const proofs = [await prove(standIn), await prove(standIn)]

    await standIn.close()
    for (const { oid, exp, expiresAt } of proofs) {
      expect([oid, exp, expiresAt]).toEqual([objectOf(standIn), start + 86_400, start + 86_400])
    }
  })
})

describe('MSAL', () => {
  test('asks the first endpoint until the process ends, whatever the environment says later', async () => {
    const first = await startAzureStandIn()
    const second = await startAzureStandIn()
    for (const { registerApplication } of [first, second]) registerApplication({ uris: [BROKER, 'api://other'] })

    const outcomes = await runAzureWorkload(first.environment, [
      { by: 'managed_identity', scope: `${BROKER}/.default` },
      { by: 'environment', set: second.environment },
      { by: 'managed_identity', scope: 'api://other/.default' },
    ])

    await Promise.all([first.close(), second.close()])
    expect(decodeJwt(outcomes[2]?.token ?? '').oid).toBe(first.systemIdentity.objectId)
    expect(second.requests).toEqual([])
  })

  test('keeps the tokens of a process apart by client id alone', async () => {
    const azure = await startAzureStandIn({ host: 'web_app' })
    azure.registerApplication({ uris: [BROKER] })
    const ids = [azure.createIdentity('one').clientId, azure.createIdentity('two').clientId]
    const ask = (clientId = '') => ({ by: 'managed_identity', identity: { clientId }, scope: BROKER }) as const

    await runAzureWorkload(azure.environment, [ask(ids[0]), ask(ids[0]), ask(ids[1])])

    await azure.close()
    expect(azure.requests.map(({ query }) => query.get('client_id'))).toEqual(ids)
  })
})
