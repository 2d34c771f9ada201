/** The command as it ships, as a bundle for Node and as an executable of its own, where nothing of this project is to be found. */

import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { buildBinary } from '../../infra/build/binary.ts'
import { bundleCommand, bundleExecutable } from '../../infra/build/bundle.ts'
import { ROOT, readManifest } from '../../infra/build/layout.ts'
import { type BuiltCommand, commandIn, parseExports } from '../support/built-command.ts'

const isLinux = process.platform === 'linux'
const WAYS = isLinux ? (['bundle', 'executable'] as const) : (['bundle'] as const)

describe.each(WAYS)('the %s', (way) => {
  let directory: string
  let chancery: BuiltCommand
  let dev: ReturnType<BuiltCommand['start']>

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), `chancery-${way}-`))
    chancery = await buildInto(directory, way)
    dev = chancery.start(['dev', '--port', '0', '--directory', join(directory, 'dev')])
    await vi.waitFor(() => expect(dev.out()).toContain('# Then try'), { timeout: 20_000, interval: 25 })
  }, 60_000)
  afterAll(async () => {
    dev.child.kill('SIGTERM')
    await dev.ended
    rmSync(directory, { recursive: true, force: true })
  })

  test('says its version, which is the project’s', async () => {
    expect(await chancery.run(['--version'])).toEqual({ code: 0, out: `${readManifest().version}\n`, err: '' })
  })

  test('is a consumer’s helper where a link to it has that name', async () => {
    const link = join(directory, 'terraform-credentials-chancery')
    symlinkSync(join(directory, way === 'executable' ? 'chancery' : 'bin/chancery.mjs'), link)
    const helper = way === 'executable' ? commandIn(directory, link) : commandIn(directory, process.execPath, link)

    expect(await helper.run(['--host=host.example', 'store', 'host.example'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('chancery keeps no credentials'),
    })
  })

  test('checks a document', async () => {
    const hosts = /--insecure-host (\S+)/.exec(await refusal())?.[1] ?? ''
    const document = join(directory, 'dev', 'federation.json')
    const { code, out } = await chancery.run(['check', '--insecure-host', hosts, document])

    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining('0 errors') })
  })

  test.each(['aws', 'azure', 'gcp'])('gets a token by the SDK of %s, which is inside', async (provider) => {
    const { code, out, err } = await chancery.run(['token', '--provider', provider], environment())

    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(decodeJwt(out.trim()).sub).toBe('spiffe://dev.example/payments/api')
  })

  test('signs a request of AWS, too', async () => {
    const args = ['token', '--provider', 'aws', '--prover-setting', 'proof=signed_request']

    expect(await chancery.run(args, environment())).toMatchObject({ code: 0, err: '' })
  })

  test('serves until it is told to stop', async () => {
    const [, port = ''] = /^ {2}broker +http:\/\/127\.0\.0\.1:(\d+)$/m.exec(dev.out()) ?? []
    const ready = await fetch(`http://127.0.0.1:${port}/readyz`)
    const serving = chancery.start([
      'serve',
      ...['--issuer', 'http://127.0.0.1:1', '--listen', '127.0.0.1:0', '--metrics-listen', '127.0.0.1:0'],
      ...['--federation', join(directory, 'dev', 'federation.json'), '--store', `sqlite:${join(directory, 'own.db')}`],
      ...['--insecure-host', /--insecure-host (\S+)/.exec(await refusal())?.[1] ?? ''],
    ])
    await vi.waitFor(() => expect(serving.err()).toContain('"msg":"ready"'), { timeout: 15_000, interval: 25 })
    serving.child.kill('SIGTERM')

    expect(ready.status).toBe(200)
    expect((await serving.ended).code).toBe(0)
  })

  test('takes the name of its loading process for nothing else than a word it does not know', async () => {
    const { code, err } = await chancery.run(['/chancery/federation-worker'])

    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('unknown command') })
  })

  const environment = () => parseExports(readFileSync(join(directory, 'dev', 'run', 'environment'), 'utf8'))

  /** What is said when a workload asks for what it may not have. */
  async function refusal(): Promise<string> {
    await chancery.run(['token', '--provider', 'azure', '--audience', 'reports'], environment())
    return await vi.waitFor(() => /why: (.*)$/m.exec(dev.out())?.[1] ?? expect.fail('nothing was said'))
  }
})

async function buildInto(directory: string, way: (typeof WAYS)[number]): Promise<BuiltCommand> {
  const elsewhere = join(directory, 'elsewhere')
  mkdirSync(elsewhere)
  if (way === 'executable') {
    await buildBinary(join(directory, 'chancery'))
    return commandIn(elsewhere, join(directory, 'chancery'))
  }
  await bundleCommand(join(directory, 'bin'))
  cpSync(join(ROOT, 'infra/build/launch.mjs'), join(directory, 'bin/chancery.mjs'))
  return commandIn(elsewhere, process.execPath, join(directory, 'bin/chancery.mjs'))
}

test('what goes into the executable imports nothing while it runs, as code from a cache cannot', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'chancery-one-file-'))
  await bundleExecutable(join(directory, 'chancery.cjs'))
  const text = readFileSync(join(directory, 'chancery.cjs'), 'utf8')
  rmSync(directory, { recursive: true })

  expect(text).not.toMatch(/\bimport\(["']/)
})

test.runIf(isLinux)('the executable is the same, byte for byte, when it is built again elsewhere', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'chancery-twice-'))
  const digests: string[] = []
  for (const name of ['one', 'other']) {
    await buildBinary(join(directory, name, 'chancery'))
    digests.push(
      createHash('sha256')
        .update(readFileSync(join(directory, name, 'chancery')))
        .digest('hex'),
    )
  }
  rmSync(directory, { recursive: true })

  expect(digests[0]).toBe(digests[1])
})

describe('what a workload waits for', () => {
  test('loads nothing that only a broker needs', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'chancery-closure-'))
    const { outputs } = await bundleCommand(directory)
    rmSync(directory, { recursive: true })
    const pathOf = (source: string): string =>
      Object.keys(outputs).find((path) => outputs[path]?.entryPoint === source) ?? expect.fail(`no piece for ${source}`)
    const loaded = new Set(['src/main.ts', 'src/cli/workload-commands.ts', 'src/cli/token.ts'].map(pathOf))
    for (const path of loaded) {
      for (const { path: next, kind } of outputs[path]?.imports ?? []) {
        if (kind === 'import-statement' && next in outputs) loaded.add(next)
      }
    }
    const inputs = [...loaded].flatMap((path) => Object.keys(outputs[path]?.inputs ?? {}))
    const packages = inputs.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? [])

    expect(inputs).toContain('src/client/client.ts')
    expect([...new Set(packages)]).toEqual(['commander'])
  })
})
