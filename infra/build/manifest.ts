/** The manifest of the published package, which is not the project's: no scripts, no Node of its own, and what its code imports. */

import { builtinModules } from 'node:module'
import type { Metafile } from 'esbuild'
import { ENTRY_POINTS, type ProjectManifest } from './layout.ts'

/** Packages that a platform needs, and others do without: they are loaded when that platform proves itself. */
const PEERS_OF_PLATFORMS = ['@aws-sdk/client-sts', '@azure/identity', 'google-auth-library']

/** Packages of which a service has its own. */
const PEERS_OF_SERVICES = ['hono']

/** Which versions of a peer will do, by the one that the tests run with: any of its major. */
function peerRange(version: string): string {
  return `^${version}`
}

/** Makes the manifest. Throws where the libraries import a package that the project does not depend on. */
export function createPackageManifest(project: ProjectManifest, libraries: Metafile): object {
  const peers = [...PEERS_OF_PLATFORMS, ...PEERS_OF_SERVICES].sort()
  const all = { ...project.devDependencies, ...project.dependencies }
  const versionOf = (name: string): string => {
    const version = all[name]
    if (version === undefined) throw new Error(`the libraries import ${name}, which is no dependency`)
    return version
  }
  const imported = importedPackages(libraries).filter((name) => !peers.includes(name))
  const { name, version, description, license, engines } = project
  return {
    name,
    version,
    description,
    license,
    type: 'module',
    engines,
    bin: { chancery: 'bin/chancery.js' },
    exports: {
      ...Object.fromEntries([...ENTRY_POINTS].map(([entry, source]) => [`./${entry}`, exportOf(entry, source)])),
      './package.json': './package.json',
    },
    files: [
      'bin',
      'chunks',
      'types',
      'types-cjs',
      'verify',
      '*.js',
      '*.d.ts',
      'CHANGELOG.md',
      'third-party-licenses.txt',
    ],
    sideEffects: false,
    dependencies: Object.fromEntries(imported.map((each) => [each, versionOf(each)])),
    peerDependencies: Object.fromEntries(peers.map((each) => [each, peerRange(versionOf(each))])),
    peerDependenciesMeta: Object.fromEntries(peers.map((each) => [each, { optional: true }])),
  }
}

/** One file for both: Node 24 can require a module. The types differ, as TypeScript wants to know which of the two it reads. */
function exportOf(entry: string, source: string): object {
  const script = `./${entry}.js`
  const types = source.replace(/\.ts$/, '.d.ts')
  return {
    import: { types: `./types/${types}`, default: script },
    require: { types: `./types-cjs/${types}`, default: script },
  }
}

/** Gives the packages that bundles import from outside, in order. */
function importedPackages({ outputs }: Metafile): readonly string[] {
  const specifiers = Object.values(outputs).flatMap(({ imports }) =>
    imports.filter(({ external }) => external === true).map(({ path }) => path),
  )
  const packages = specifiers
    .filter((path) => !path.startsWith('node:') && !builtinModules.includes(path))
    .map((path) => path.split('/', path.startsWith('@') ? 2 : 1).join('/'))
  return [...new Set(packages)].sort()
}
