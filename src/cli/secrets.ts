import { readFile, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'

/** Longest file that a document may name, in bytes: a bundle of authorities. */
const MAX_SECRET_BYTES = 1_048_576

/**
 * Makes the reader of files that a document names. Whatever links lead to, the file itself lies in the directory; mounted secrets
 * are links within it.
 */
export function createSecretReader(directory: string): (name: string) => Promise<string> {
  return async (name) => {
    const [root, path] = await Promise.all([realpath(directory), realpath(join(directory, name))])
    if (!path.startsWith(root + sep)) throw new Error('the file lies outside of --secrets-dir')
    const { size } = await stat(path)
    if (size > MAX_SECRET_BYTES) throw new Error('the file is larger than 1 MiB')
    return await readFile(path, 'utf8')
  }
}
