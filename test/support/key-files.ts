/** A directory of private keys, as an operator mounts it. */

import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { chmodSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { keyIdOf } from '../../src/tokens/signing-key.ts'
import { makeScratch } from './scratch.ts'

export function makeEc(namedCurve = 'P-256'): KeyObject {
  return generateKeyPairSync('ec', { namedCurve }).privateKey
}

export function makeRsa(modulusLength = 2_048, publicExponent = 65_537): KeyObject {
  return generateKeyPairSync('rsa', { modulusLength, publicExponent }).privateKey
}

export function toPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

export interface KeyFiles {
  readonly directory: string
  /** Puts a file in, readable by its owner alone unless told otherwise, and gives the key's id. */
  put(name: string, key: KeyObject): Promise<string>
  write(name: string, text: string | Buffer, mode?: number): void
  remove(name: string): void
}

export function makeKeyFiles(directory = makeScratch()): KeyFiles {
  const write: KeyFiles['write'] = (name, text, mode = 0o600) => {
    writeFileSync(join(directory, name), text)
    chmodSync(join(directory, name), mode)
  }
  return {
    directory,
    write,
    remove: (name) => rmSync(join(directory, name)),
    async put(name, key) {
      write(name, toPem(key))
      return await keyIdOf(key)
    },
  }
}
