/** The lockfile installs everywhere: an entry that one machine does not need is one that another one misses. */

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

interface LockedPackage {
  readonly version?: string
  readonly resolved?: string
  readonly integrity?: string
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const lock = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')) as {
  readonly packages: Readonly<Record<string, LockedPackage>>
}
const installed = Object.entries(lock.packages).filter(([path]) => path !== '')

test('every optional dependency of every platform is locked, so that npm ci takes it', () => {
  const isLocked = (path: string, name: string): boolean =>
    [`${path}/node_modules/${name}`, `node_modules/${name}`].some((place) => Object.hasOwn(lock.packages, place))
  const missing = Object.entries(lock.packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter((name) => !isLocked(path, name)),
  )

  expect(missing).toEqual([])
})

test('every package is locked by what it holds, wherever it is fetched from', () => {
  expect(installed.filter(([, { integrity }]) => integrity === undefined)).toEqual([])
  expect(installed.filter(([, { resolved }]) => resolved !== undefined)).toEqual([])
})
