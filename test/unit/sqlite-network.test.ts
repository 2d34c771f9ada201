/** The embedded store on file systems that several hosts share. The system is asked through `statfs`, which answers for it here. */

import { existsSync, symlinkSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { SettingsError } from '../../providers/contract/errors.ts'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import { makeScratch } from '../support/scratch.ts'

vi.mock('node:fs/promises', async (original) => ({ ...(await original<object>()), statfs: vi.fn() }))

/** Says of one directory that it lies on a file system of this type, and of every other that it is a local one. */
function mount(directory: string, type: number): void {
  vi.mocked(statfs).mockImplementation((async (path: string) => ({
    type: path === directory ? type : 0xef53,
  })) as typeof statfs)
}

async function outcomeAt(path: string): Promise<string> {
  try {
    await (await openSqliteStore(path)).close()
    return 'opened'
  } catch (error) {
    return error instanceof SettingsError ? error.message : String(error)
  }
}

test.each([
  ['NFS', 0x6969],
  ['SMB', 0x517b],
  ['SMB', 0xfe534d42],
  ['CIFS', 0xff534d42],
  ['Ceph', 0x00c36400],
  ['Lustre', 0x0bd00bd0],
  ['AFS', 0x5346414f],
  ['GPFS', 0x47504653],
  ['FUSE', 0x65735546],
])('is refused on %s, before a file is made', async (name, type) => {
  const directory = makeScratch()
  mount(directory, type)

  const path = join(directory, 'store.db')
  expect(await outcomeAt(path)).toBe(
    `--store: ${path}: ${name} cannot hold a SQLite store: use a local disk, or postgres`,
  )
  expect(existsSync(join(directory, 'store.db'))).toBe(false)
})

test('is taken on a local disk', async () => {
  const directory = makeScratch()
  mount('elsewhere', 0x6969)

  expect(await outcomeAt(join(directory, 'store.db'))).toBe('opened')
})

test('is refused where a link leads to such a file system', async () => {
  const [local, remote] = [makeScratch(), makeScratch()]
  mount(remote, 0x6969)
  symlinkSync(join(remote, 'store.db'), join(local, 'store.db'))

  expect(await outcomeAt(join(local, 'store.db'))).toContain('NFS cannot hold a SQLite store')
})
