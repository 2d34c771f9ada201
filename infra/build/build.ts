/** Builds the package that is published, into `dist`. Run twice, it gives the same bytes. */

import { chmodSync, copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundleCommand, bundleLibraries } from './bundle.ts'
import { writeDeclarations } from './declarations.ts'
import { PACKAGE_DIRECTORY, ROOT, readManifest } from './layout.ts'
import { createPackageManifest } from './manifest.ts'
import { listLicenses } from './third-party.ts'

/** Builds everything into a directory, of which nothing is left that was there before. Gives the sizes of what matters, in bytes. */
export async function buildPackage(
  directory: string,
): Promise<{ readonly command: number; readonly libraries: number }> {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(join(directory, 'bin'), { recursive: true })
  const [libraries, command] = await Promise.all([bundleLibraries(directory), bundleCommand(join(directory, 'bin'))])
  writeDeclarations(directory)
  copyFileSync(join(ROOT, 'infra/build/launch.mjs'), join(directory, 'bin/chancery.js'))
  chmodSync(join(directory, 'bin/chancery.js'), 0o755)
  for (const file of ['README.md', 'LICENSE', 'CHANGELOG.md']) copyFileSync(join(ROOT, file), join(directory, file))
  writeFileSync(join(directory, 'third-party-licenses.txt'), listLicenses(command))
  const manifest = createPackageManifest(readManifest(), libraries)
  writeFileSync(join(directory, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  const sizeOf = ({ outputs }: typeof command): number =>
    Object.values(outputs).reduce((sum, { bytes }) => sum + bytes, 0)
  return { command: sizeOf(command), libraries: sizeOf(libraries) }
}

if (import.meta.main) {
  const { command, libraries } = await buildPackage(join(ROOT, PACKAGE_DIRECTORY))
  process.stdout.write(`dist: the command has ${command} bytes, the libraries ${libraries}\n`)
}
