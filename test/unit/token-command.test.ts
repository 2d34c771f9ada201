/** What the commands of a workload make of their options and of the environment. */

import { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { addWorkloadOptions, toTokenSourceSettings, type WorkloadOptions } from '../../src/cli/workload-options.ts'
import { askBroker } from '../../src/client/ask-broker.ts'
import { CLIENT_VARIABLES } from '../../src/client/environment.ts'

function parse(args: readonly string[]): WorkloadOptions {
  return addWorkloadOptions(new Command().exitOverride())
    .configureOutput({ writeErr: () => undefined })
    .parse(args, { from: 'user' })
    .opts()
}

describe('the options', () => {
  test('are every setting of a token source', () => {
    const options = parse([
      '--broker=https://broker.example',
      '--audience=ledger',
      '--scope=a b',
      '--scope=c',
      '--proof-file=/pod/token',
      '--proof-audience=urn:broker',
      '--provider=kubernetes',
      '--prover-setting=token_path=/a=b',
      '--prover-setting=other=',
    ])

    expect(toTokenSourceSettings(options, {})).toEqual({
      askBroker,
      broker: 'https://broker.example',
      audience: 'ledger',
      scope: ['a', 'b', 'c'],
      proof: {
        file: '/pod/token',
        audience: 'urn:broker',
        provider: 'kubernetes',
        settings: { token_path: '/a=b', other: '' },
      },
    })
  })

  test('win over the environment, one by one', () => {
    const environment = {
      broker: 'https://broker.example',
      audience: 'ledger',
      scope: 'a',
      proof: { provider: 'aws', audience: 'urn:broker' },
    } as const

    expect(toTokenSourceSettings(parse(['--audience', 'orders', '--provider', 'gcp']), environment)).toEqual({
      askBroker,
      broker: 'https://broker.example',
      audience: 'orders',
      scope: 'a',
      proof: { provider: 'gcp', audience: 'urn:broker' },
    })
  })

  test('name the variable that stands in for each, and no other', () => {
    const help = addWorkloadOptions(new Command()).helpInformation().replaceAll(/\s+/g, ' ')
    const named = [...help.matchAll(/\[(CHANCERY_\w+)\]/g)].map(([, name]) => name)

    expect(named).toHaveLength(6)
    expect(CLIENT_VARIABLES).toEqual(expect.arrayContaining(named))
  })

  test.each([
    ['no broker anywhere', [], 'which broker?'],
    ['a setting without a name', ['--prover-setting', '=b'], 'is not KEY=VALUE'],
    ['a platform that there is not', ['--provider', 'mars'], 'Allowed choices are aws, azure, gcp, kubernetes'],
  ])('are refused with %s', (_, args, message) => {
    expect(() => toTokenSourceSettings(parse(args), {})).toThrow(message)
  })
})
