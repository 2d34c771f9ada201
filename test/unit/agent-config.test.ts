/** What an agent can be told, and how it says what it cannot be told. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { SettingsError } from '../../providers/contract/errors.ts'
import { checkWork, readAgentConfig } from '../../src/cli/agent/config.ts'
import { readConfigFile } from '../../src/cli/agent/config-file.ts'
import { parseListen, tellPlace } from '../../src/cli/agent/listen-place.ts'
import { problemsOf } from '../support/rejection.ts'
import { makeScratch } from '../support/scratch.ts'

const OUTPUT = { audience: 'ledger', file: '/run/ledger' }

function messagesOf(config: unknown): readonly string[] {
  return problemsOf(() => readAgentConfig(config)).map(({ message }) => message)
}

/** Writes a file, and gives what reading it comes to: the configuration, or what is wrong, without the file's name. */
async function readText(name: string, text: string): Promise<unknown> {
  const path = join(makeScratch(), name)
  writeFileSync(path, text)
  const outcome: unknown = await readConfigFile(path).catch((error: unknown) => error)
  return outcome instanceof SettingsError ? outcome.message.replaceAll(path, 'FILE') : outcome
}

describe('a configuration', () => {
  test('says all of this, and files are private unless it says otherwise', () => {
    const read = readAgentConfig({
      broker: 'https://broker.example',
      proof: {
        provider: 'aws',
        audience: 'urn:a',
        settings: { region: 'eu-west-1' },
        subject_token_type: 'urn:b',
        file: '/p',
      },
      outputs: [
        OUTPUT,
        {
          ...OUTPUT,
          scope: 'a b',
          mode: '0640',
          format: 'json',
          on_change: { signal: 'SIGHUP', pid_file: '/run/pid' },
        },
        { ...OUTPUT, on_change: { command: ['systemctl', 'reload', 'server'] } },
      ],
      listen: '[::1]:9000',
      log: 'json',
    })

    expect(read).toEqual({
      broker: 'https://broker.example',
      proof: {
        provider: 'aws',
        audience: 'urn:a',
        settings: { region: 'eu-west-1' },
        subject_token_type: 'urn:b',
        file: '/p',
      },
      outputs: [
        { ...OUTPUT, mode: 0o600, format: 'raw' },
        {
          ...OUTPUT,
          scope: 'a b',
          mode: 0o640,
          format: 'json',
          onChange: { kind: 'signal', signal: 'SIGHUP', pidFile: '/run/pid' },
        },
        {
          ...OUTPUT,
          mode: 0o600,
          format: 'raw',
          onChange: { kind: 'command', command: ['systemctl', 'reload', 'server'] },
        },
      ],
      listen: { kind: 'loopback', host: '::1', port: 9_000 },
      log: 'json',
    })
  })

  test('is told of everything that is wrong at once, each with its place', () => {
    const config = {
      brokr: 'x',
      proof: { secret: 'x' },
      outputs: [
        { file: 'relative', mode: 384 },
        { ...OUTPUT, on_change: { comand: [] } },
      ],
    }

    expect(messagesOf(config)).toEqual([
      'brokr: there is no such member; there are broker, proof, outputs, listen, log',
      'proof.secret: there is no such member; there are provider, file, subject_token_type, audience, settings',
      'outputs[0].audience: is missing',
      'outputs[0].file: must be an absolute path',
      'outputs[0].mode: must be a text; write it in quotes',
      'outputs[1].on_change.comand: there is no such member; there are signal, pid_file, command',
    ])
  })

  test.each([
    ['no object', [], 'must be an object'],
    ['an empty text', { broker: '' }, 'broker: must have at least one character, and none that cannot be seen'],
    [
      'a control character',
      { broker: 'a\nb' },
      'broker: must have at least one character, and none that cannot be seen',
    ],
    [
      'an unknown platform',
      { proof: { provider: 'mars' } },
      'proof.provider: must be one of aws, azure, gcp, kubernetes',
    ],
    ['no outputs', { outputs: [] }, 'outputs: must be a list of 1 to 64'],
    ['more outputs than anybody has', { outputs: Array(65).fill(OUTPUT) }, 'outputs: must be a list of 1 to 64'],
    ['outputs that are no list', { outputs: OUTPUT }, 'outputs: must be a list of 1 to 64'],
    [
      'an unknown format',
      { outputs: [{ ...OUTPUT, format: 'xml' }] },
      'outputs[0].format: must be one of raw, json, header',
    ],
    ['settings that are no object', { proof: { settings: 'a' } }, 'proof.settings: must be an object'],
  ])('is refused with %s', (_, config, message) => {
    expect(messagesOf(config)).toEqual([message])
  })

  test.each(['600', '0660', '0606', '0700', '0200', '0o600', '0800', '1600', '00600'])(
    'refuses the mode %s',
    (mode) => {
      expect(messagesOf({ outputs: [{ ...OUTPUT, mode }] })).toEqual([
        expect.stringContaining('outputs[0].mode: must be'),
      ])
    },
  )

  test.each([
    {},
    { signal: 'SIGHUP' },
    { pid_file: '/run/pid' },
    { signal: 'SIGHUP', pid_file: '/run/pid', command: ['true'] },
  ])('refuses to guess whom to tell: %j', (onChange) => {
    expect(messagesOf({ outputs: [{ ...OUTPUT, on_change: onChange }] })).toEqual([
      'outputs[0].on_change: must have either a command, or a signal and a pid_file',
    ])
  })

  test('knows a file by one name, however it is written', () => {
    const { outputs } = readAgentConfig({ outputs: [OUTPUT, { ...OUTPUT, file: '/run/./other/../ledger' }] })

    expect(outputs.map(({ file }) => file)).toEqual(['/run/ledger', '/run/ledger'])
  })

  test('must give an agent something to do, and each file once', () => {
    const output = { ...OUTPUT, mode: 0o600, format: 'raw' } as const

    expect(problemsOf(() => checkWork({ outputs: [] }))).toHaveLength(1)
    expect(problemsOf(() => checkWork({ outputs: [output, { ...output, audience: 'orders' }] }))).toMatchObject([
      { message: 'outputs[1].file: /run/ledger is another output’s file too' },
    ])
    expect(() => checkWork({ outputs: [output] })).not.toThrow()
  })
})

describe('its file', () => {
  const expected = { outputs: [{ ...OUTPUT, mode: 0o600, format: 'raw' }] }

  test('is JSON, or YAML', async () => {
    expect(await readText('a.json', JSON.stringify({ outputs: [OUTPUT] }))).toEqual(expected)
    expect(await readText('a.yaml', 'outputs:\n  - { audience: ledger, file: /run/ledger }\n')).toEqual(expected)
  })

  test.each([
    ['a.json', '{"broker":"a","broker":"b"}', 'names a member twice'],
    ['a.json', '{"broker":', 'FILE cannot be used'],
    ['a.yaml', 'broker: a\nbroker: b\n', 'FILE cannot be used: Map keys must be unique'],
    ['a.yaml', 'broker: &b a\nlog: *b\n', 'it has an alias'],
    ['a.yaml', 'broker: [', 'FILE cannot be used'],
    ['a.yaml', `broker: ${'a'.repeat(70_000)}`, 'larger than 64 KiB'],
    ['a.yaml', 'colour: blue', 'FILE: colour: there is no such member'],
  ])('%s is refused with its name: %j', async (name, text, message) => {
    expect(await readText(name, text)).toMatch(message)
  })
})

describe('where an agent listens', () => {
  test.each(['unix:/run/agent.sock', '127.0.0.1:9000', '[::1]:0'])('may be %s', (text) => {
    const place = parseListen(text)

    expect(place && tellPlace(place)).toBe(text)
  })

  test.each([
    '0.0.0.0:9000',
    '[::]:9000',
    '10.0.0.1:9000',
    '127.0.0.1',
    '127.0.0.1:65536',
    '127.0.0.2:9000',
    'broker.example:9000',
    ':9000',
    'unix:relative',
    '/run/agent.sock',
    'localhost:9000.example',
  ])('is never %s', (text) => {
    expect(parseListen(text)).toBeUndefined()
  })
})
