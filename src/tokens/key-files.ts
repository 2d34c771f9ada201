/** Private keys in a directory of the operator's: PKCS#8 in PEM, one a file. */

import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { keyIdOf, type SigningAlgorithm } from './signing-key.ts'

/** A key that can be used. */
export interface FileKey {
  readonly file: string
  readonly keyId: string
  readonly algorithm: SigningAlgorithm
  readonly privateKey: KeyObject
}

export interface KeyDirectory {
  /** In the order of the files' names. */
  readonly keys: readonly FileKey[]
  /** What is wrong with the other files. */
  readonly problems: readonly string[]
}

/** Longest file that is read, in bytes. A key of 4,096 bits takes 3 KiB. */
const MAX_FILE_BYTES = 16_384

/** Below this, RFC 7518 allows no signature. @see {@link https://www.rfc-editor.org/rfc/rfc7518.html#section-3.3 RFC 7518 section 3.3} */
const MIN_RSA_BITS = 2_048

/** Beyond this, common verifiers give up, and a signature takes ten milliseconds. */
const MAX_RSA_BITS = 4_096

const MIN_RSA_EXPONENT = 65_537n

/** Whoever else has an account on the machine. */
const OTHERS = 0o007

const PEM = /^\s*-----BEGIN PRIVATE KEY-----[A-Za-z0-9+/=\s]+-----END PRIVATE KEY-----\s*$/

/** Makes the reader of a directory. A file that stays as it is is read once; names that begin with a dot belong to the mount. */
export function createKeyDirectoryReader(directory: string): () => Promise<KeyDirectory> {
  let seen: ReadonlyMap<string, FileKey | string> = new Map()
  return async () => {
    const found = new Map<string, FileKey | string>()
    const files = new Map<string, string>()
    for (const name of (await readdir(directory)).filter((each) => !each.startsWith('.')).sort()) {
      const path = join(directory, name)
      const print = await fingerprint(path)
      files.set(name, print)
      found.set(
        print,
        seen.get(print) ?? (await readKeyFile(path, name).catch((error: unknown) => explain(name, error))),
      )
    }
    seen = found
    return sort([...files.values()].flatMap((print) => found.get(print) ?? []))
  }
}

/** Two files with one key are one key. */
function sort(found: readonly (FileKey | string)[]): KeyDirectory {
  const keys = new Map<string, FileKey>()
  for (const key of found) if (typeof key !== 'string' && !keys.has(key.keyId)) keys.set(key.keyId, key)
  return { keys: [...keys.values()], problems: found.filter((problem) => typeof problem === 'string') }
}

/** Changes whenever what is in a file, or who may read it, may have. */
async function fingerprint(path: string): Promise<string> {
  const { ino, size, mode, mtimeNs, ctimeNs } = await stat(path, { bigint: true })
  return JSON.stringify([path, ino, size, mode, mtimeNs, ctimeNs].map(String))
}

async function readKeyFile(path: string, file: string): Promise<FileKey> {
  const status = await stat(path)
  if (!status.isFile()) throw new Error('is no file')
  if ((status.mode & OTHERS) !== 0)
    throw new Error('is open to every account of the machine: chmod o= it, or mount it with mode 0440')
  if (status.size > MAX_FILE_BYTES) throw new Error('is larger than any key')
  const text = await readFile(path, 'utf8')
  if (!PEM.test(text)) throw new Error('is not one unencrypted PKCS#8 key in PEM: see openssl pkcs8 -topk8 -nocrypt')
  const privateKey = parse(text)
  const algorithm = algorithmOf(privateKey)
  if (!isWhole(privateKey)) throw new Error('holds halves that do not belong together')
  return { file, keyId: await keyIdOf(privateKey), algorithm, privateKey }
}

/** What the parser says may quote the file. */
function parse(text: string): KeyObject {
  try {
    return createPrivateKey(text)
  } catch {
    throw new Error('holds no private key that can be read')
  }
}

function algorithmOf({ asymmetricKeyType: type, asymmetricKeyDetails: details = {} }: KeyObject): SigningAlgorithm {
  if (type === 'ec') {
    if (details.namedCurve !== 'prime256v1') throw new Error('is on a curve that is not P-256')
    return 'ES256'
  }
  if (type !== 'rsa') throw new Error(`is a key of the kind ${type}: an EC key on P-256 or an RSA key is needed`)
  const { modulusLength: bits = 0, publicExponent = 0n } = details
  if (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS)
    throw new Error(`has ${bits} bits: an RSA key has ${MIN_RSA_BITS} to ${MAX_RSA_BITS}`)
  if (publicExponent < MIN_RSA_EXPONENT) throw new Error('has a public exponent below 65537')
  return 'RS256'
}

/** A file that was put together by hand may say another public half than its private one has. */
function isWhole(privateKey: KeyObject): boolean {
  const probe = Buffer.from('probe')
  return verify('sha256', probe, createPublicKey(privateKey), sign('sha256', probe, privateKey))
}

function explain(file: string, error: unknown): string {
  return `${file} ${error instanceof Error ? error.message : 'cannot be read'}`
}
