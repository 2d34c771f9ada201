/** Three bundles: the libraries, the command for Node, and the command for an executable of its own. */

import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild'
import { ENTRY_POINTS, ROOT } from './layout.ts'

/**
 * Names stay as they are, so that a stack trace in an incident can be read; comments and blanks go. What packages require at their
 * pleasure, and do without, is left outside.
 */
const COMMON = {
  absWorkingDir: ROOT,
  bundle: true,
  platform: 'node',
  target: 'node24',
  metafile: true,
  write: true,
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  logLevel: 'error',
  // The SDK of AWS has both, and its modules are half as long.
  mainFields: ['module', 'main'],
  external: ['pg-native', 'pg-cloudflare'],
} as const satisfies BuildOptions

/** Packages of CommonJS ask for parts of Node by `require`, which a module does not have. */
const REQUIRE_BANNER = `import { createRequire as createRequireOfBundle } from 'node:module';const require = createRequireOfBundle(import.meta.url);`

/**
 * Bundles what services and workloads import. Packages stay outside, so that a project has each of them once; what entry points
 * share, they share when they are loaded too.
 */
export async function bundleLibraries(directory: string): Promise<Metafile> {
  const { metafile } = await build({
    ...COMMON,
    entryPoints: Object.fromEntries(ENTRY_POINTS),
    outdir: directory,
    format: 'esm',
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    packages: 'external',
  })
  return metafile
}

/**
 * Bundles the command, packages and the clouds' SDKs included, in pieces that are loaded when they are needed: a workload that asks
 * for a token reads nothing of a broker, and of the SDKs its own.
 */
export async function bundleCommand(directory: string): Promise<Metafile> {
  const { metafile } = await build({
    ...COMMON,
    entryPoints: {
      main: 'src/main.ts',
      'federation-worker': 'src/cli/federation-worker.ts',
      'serve-worker': 'src/cli/serve-worker.ts',
    },
    outdir: directory,
    format: 'esm',
    splitting: true,
    banner: { js: REQUIRE_BANNER },
    plugins: [namedExportsOfCommonJs],
  })
  return metafile
}

/**
 * A package of CommonJS that is imported when it is needed lies in a piece of its own, which esbuild gives a default export and no
 * others: what it is to be called by is not known before it runs. Here it is, as the package can be asked.
 */
const namedExportsOfCommonJs: Plugin = {
  name: 'named-exports-of-commonjs',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^google-auth-library$/ }, ({ kind, path }) =>
      kind === 'dynamic-import' ? { path, namespace: 'named-exports' } : undefined,
    )
    onLoad({ filter: /.*/, namespace: 'named-exports' }, async ({ path }) => {
      const library: object = await import(path)
      const names = Object.keys(library).filter((name) => /^[A-Za-z]\w*$/.test(name) && name !== 'default')
      const contents = `import * as library from '${path}'\nexport const { ${names.join(', ')} } = library\n`
      return { contents, resolveDir: ROOT }
    })
  },
}

/** Where the executable takes its own sources to be. There is no file: the name is what its other processes are told apart by. */
const EXECUTABLE_BASE = 'file:///chancery/executable'

/** Bundles the same into one file of CommonJS, which is all that an executable of Node can hold. */
export async function bundleExecutable(file: string): Promise<Metafile> {
  const { metafile } = await build({
    ...COMMON,
    entryPoints: ['infra/build/executable.ts'],
    outfile: file,
    format: 'cjs',
    define: { 'import.meta.url': JSON.stringify(EXECUTABLE_BASE) },
    // Code from a cache cannot import, and what is left to import are parts of Node.
    supported: { 'dynamic-import': false },
  })
  return metafile
}
