/** The package as its users get it: packed, installed elsewhere, and used from every kind of module and by its command. */

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildPackage } from '../../infra/build/build.ts'
import { ENTRY_POINTS, ROOT, readManifest } from '../../infra/build/layout.ts'
import { createScratchProject, type ScratchProject } from '../support/scratch-project.ts'

let project: ScratchProject

beforeAll(async () => {
  project = await createScratchProject()
}, 120_000)
afterAll(() => project.remove())

const ENTRIES = [...ENTRY_POINTS.keys()].map((name) => `chancery/${name}`)

function readTree(directory: string): ReadonlyMap<string, string> {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()
  return new Map(
    files
      .filter((file) => statSync(join(directory, file)).isFile())
      .map((file) => [file, readFileSync(join(directory, file), 'utf8')]),
  )
}

describe('what is published', () => {
  test('is the same, byte for byte, when it is built again elsewhere', async () => {
    const again = join(project.directory, '..', 'elsewhere', 'again')
    await buildPackage(again)

    expect([...readTree(again).keys()]).toEqual([...readTree(project.built).keys()])
    for (const [file, text] of readTree(again)) expect(text === readTree(project.built).get(file), file).toBe(true)
  })

  test('is all that was built, and names no place on the machine that built it', () => {
    expect([...project.packed].sort()).toEqual([...readTree(project.built).keys()].sort())
    for (const [file, text] of readTree(project.built)) {
      expect(text.includes(ROOT), file).toBe(false)
      expect(/from ['"]\.[^'"]*\.ts['"]/.test(text), file).toBe(false)
    }
  })

  test('has a manifest of its own: exact versions, SDKs by choice, no Node, and nothing that runs at installation', () => {
    const manifest = JSON.parse(readFileSync(join(project.built, 'package.json'), 'utf8')) as Record<string, object>
    const { dependencies, devDependencies, version } = readManifest()
    const ours: Readonly<Record<string, string>> = { ...devDependencies, ...dependencies }

    expect(manifest).toMatchObject({ name: 'chancery', version, engines: { node: '>=24' } })
    for (const absent of ['private', 'scripts', 'devDependencies', 'optionalDependencies']) {
      expect(manifest).not.toHaveProperty(absent)
    }
    expect(Object.keys(manifest.dependencies ?? {})).toEqual(['jose', 'zod'])
    for (const [name, range] of Object.entries(manifest.dependencies ?? {})) expect(range).toBe(ours[name])
    const peers = Object.keys(manifest.peerDependencies ?? {})
    expect(peers).toEqual(['@aws-sdk/client-sts', '@azure/identity', 'google-auth-library', 'hono'])
    expect(manifest.peerDependenciesMeta).toEqual(Object.fromEntries(peers.map((name) => [name, { optional: true }])))
  })

  test('has the licence of everything that is inside', () => {
    const licenses = readFileSync(join(project.built, 'third-party-licenses.txt'), 'utf8')

    for (const name of ['hono', 'jose', 'zod', 'pino', 'commander', '@azure/identity', 'google-auth-library']) {
      expect(licenses).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(.+\\)\\n=+$`, 'm'))
    }
  })
})

describe('the libraries', () => {
  test('are imported by modules', () => {
    project.write('import.mjs', `for (const name of ${JSON.stringify(ENTRIES)}) await import(name)\n${USE_MODULE}`)

    expect(project.run(process.execPath, 'import.mjs')).toEqual({ code: 0, out: 'payments/api chancery\n', err: '' })
  })

  test('are required by CommonJS, and are the same ones', () => {
    project.write(
      'require.cjs',
      `for (const name of ${JSON.stringify(ENTRIES)}) require(name)
       const { TokenSourceError } = require('chancery/client')
       import('chancery/client').then((module) => console.log(module.TokenSourceError === TokenSourceError))`,
    )

    expect(project.run(process.execPath, 'require.cjs')).toEqual({ code: 0, out: 'true\n', err: '' })
  })

  test('need no SDK before a platform does, and name the one that is missing', () => {
    project.write(
      'missing.mjs',
      `import { createTokenSource } from 'chancery/client'
       const tokens = createTokenSource({ broker: 'https://broker.example', audience: 'ledger', proof: { provider: 'gcp' } })
       await tokens.token().catch(({ code, message }) => console.log(code, message))`,
    )

    expect(project.run(process.execPath, 'missing.mjs').out).toMatch(/^sdk_missing .*google-auth-library/)
  })
})

const USE_MODULE = `
import { createTokenSource } from 'chancery/client'
import { createVerifier } from 'chancery/verify'
import { createTestIssuer } from 'chancery/verify/testing'
const issuer = await createTestIssuer({ audience: 'ledger' })
const { identity } = await createVerifier(issuer.settings).verify(await issuer.token({ identity: 'payments/api' }))
const tokens = createTokenSource({ broker: 'https://broker.example' })
tokens.close()
console.log(identity, 'chancery')
`

describe('their types', () => {
  const SOURCE = `
    import { createTokenSource, type ServiceToken, type TokenSource, TokenSourceError } from 'chancery/client'
    import { createVerifier, type Principal } from 'chancery/verify'
    import { requirePrincipal as expressPrincipal } from 'chancery/verify/express'
    import { requirePrincipal as fastifyPrincipal } from 'chancery/verify/fastify'
    import { createTestIssuer } from 'chancery/verify/testing'

    const tokens: TokenSource = createTokenSource({ broker: 'https://broker.example', audience: 'ledger' })
    export const token: Promise<ServiceToken> = tokens.token({ scope: 'entries:read' })
    const verifier = createVerifier({ issuer: 'https://broker.example', audience: 'ledger' })
    export const principal: Promise<Principal> = verifier.verify('x')
    export const handlers = [expressPrincipal(verifier), fastifyPrincipal(verifier)]
    export const issuer = createTestIssuer({ audience: 'ledger' })
    export const tell = (error: unknown): string => (error instanceof TokenSourceError ? error.code : 'none')
    // @ts-expect-error a broker is required, and the compiler knows it
    createTokenSource({})`

  const CASES = [
    { name: 'node16, a module', file: 'a.mts', module: 'node16', resolution: 'node16' },
    { name: 'node16, CommonJS', file: 'a.cts', module: 'node16', resolution: 'node16' },
    { name: 'nodenext, a module', file: 'a.mts', module: 'nodenext', resolution: 'nodenext' },
    { name: 'nodenext, CommonJS', file: 'a.cts', module: 'nodenext', resolution: 'nodenext' },
    { name: 'bundler', file: 'a.ts', module: 'esnext', resolution: 'bundler' },
    {
      name: 'bundler without exports, as older ones',
      file: 'a.ts',
      module: 'esnext',
      resolution: 'bundler',
      exports: false,
    },
  ]

  test.each(CASES)('are found and right for $name', ({ name, file, module, resolution, exports = true }) => {
    const folder = name.replaceAll(/\W+/g, '-')
    const compilerOptions = {
      module,
      moduleResolution: resolution,
      target: 'es2022',
      lib: ['es2022', 'esnext.disposable'],
      types: ['node'],
      strict: true,
      noEmit: true,
      ...(exports ? {} : { resolvePackageJsonExports: false }),
    }
    project.write(`${folder}/tsconfig.json`, JSON.stringify({ compilerOptions, files: [file] }))
    project.write(`${folder}/${file}`, SOURCE)

    expect(project.run(process.execPath, join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', folder)).toEqual({
      code: 0,
      out: '',
      err: '',
    })
  })
})

describe('the command', () => {
  const FEDERATION = {
    version: 1,
    trust_domain: 'corp.example',
    trusted_issuers: {
      prod: { provider: 'kubernetes', issuers: ['https://oidc.eks.eu-west-1.amazonaws.com/id/2F331C'] },
    },
    audiences: { ledger: { scopes: ['entries:read'] } },
    identities: { 'payments/api': { grants: { ledger: ['entries:read'] } } },
    bindings: {
      api: {
        trusted_issuer: 'prod',
        match: { 'kubernetes.namespace': 'payments', 'kubernetes.service_account': 'api' },
        identity: 'payments/api',
      },
    },
  }

  test('is run by npx', () => {
    const { version } = readManifest()

    expect(project.run('npx', '--offline', 'chancery', '--version')).toEqual({ code: 0, out: `${version}\n`, err: '' })
  })

  test('says which Node it needs where there is an older one', () => {
    const older = 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.20.2" } })'
    const args = ['--import', `data:text/javascript,${older}`, 'node_modules/chancery/bin/chancery.js', '--version']

    expect(project.run(process.execPath, ...args)).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('needs Node 24 or newer'),
    })
  })

  test('checks a document', () => {
    project.write('federation.json', JSON.stringify(FEDERATION))
    const { code, out } = project.run(
      'npx',
      '--offline',
      'chancery',
      'check',
      '--issuer',
      'https://b.example',
      'federation.json',
    )

    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining('0 errors') })
  })
})
