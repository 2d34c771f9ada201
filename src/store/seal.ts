/** Seals what the store keeps, so that who can write the store cannot forge a key or a document. */

import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'
import { SettingsError } from '../../providers/contract/errors.ts'

/** Seals secrets and authenticates texts under the operator's key-encryption key. */
export interface Sealer {
  /** Whether there is a key. Without one, secrets are kept as they are and texts carry no code: on loopback only. */
  readonly isKeyed: boolean
  /** Encrypts a secret together with what it is for. */
  seal(secret: Uint8Array, context: string): string
  /** Gives the secret back. Throws {@link SettingsError} unless it was sealed for this context, under one of the keys. */
  open(sealed: string, context: string): Buffer
  /** Gives a code that only a holder of the key can make. Empty without a key. */
  authenticate(text: string): string
  isAuthentic(text: string, code: string): boolean
}

const SETTING = 'CHANCERY_KEY_ENCRYPTION_KEY'
const SEALED = 'aes256gcm'
const PLAIN = 'plain'
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** Creates the sealer for the operator's keys of 32 bytes: the first seals, all open. */
export function createSealer(keys: readonly Uint8Array[]): Sealer {
  const [first] = keys
  return first === undefined ? createPlainSealer() : createKeyedSealer(first, keys)
}

function createKeyedSealer(first: Uint8Array, keys: readonly Uint8Array[]): Sealer {
  const [sealing, authenticating] = [derive(first, 'secrets'), derive(first, 'texts')]
  const opening = keys.map((key) => derive(key, 'secrets'))
  const checking = keys.map((key) => derive(key, 'texts'))
  return {
    isKeyed: true,
    seal(secret, context) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', sealing, nonce)
      cipher.setAAD(Buffer.from(context))
      const sealed = Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()])
      return `${SEALED}.${sealed.toString('base64url')}`
    },
    open(sealed, context) {
      const [scheme, bytes = ''] = sealed.split('.')
      if (scheme === PLAIN) {
        throw wrongKey(
          'the store holds signing keys in the clear, which anybody could have written: start with a new store',
        )
      }
      for (const key of opening) {
        const secret = tryOpen(key, Buffer.from(bytes, 'base64url'), context)
        if (secret !== undefined) return secret
      }
      throw wrongKey(
        'the key-encryption key does not open a signing key of the store: give the key that it was sealed with, or restore the row',
      )
    },
    authenticate: (text) => codeOf(authenticating, text),
    isAuthentic: (text, code) => checking.some((key) => isEqual(codeOf(key, text), code)),
  }
}

function createPlainSealer(): Sealer {
  return {
    isKeyed: false,
    seal: (secret) => `${PLAIN}.${Buffer.from(secret).toString('base64url')}`,
    open(sealed) {
      const [scheme, bytes = ''] = sealed.split('.')
      if (scheme !== PLAIN) {
        throw wrongKey(
          'the signing keys of the store are encrypted: set CHANCERY_KEY_ENCRYPTION_KEY to the key that they were sealed with',
        )
      }
      return Buffer.from(bytes, 'base64url')
    },
    authenticate: () => '',
    isAuthentic: (_text, code) => code === '',
  }
}

function tryOpen(key: Uint8Array, sealed: Buffer, context: string): Buffer | undefined {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
  decipher.setAAD(Buffer.from(context))
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
  try {
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()])
  } catch {
    return undefined
  }
}

function codeOf(key: Uint8Array, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url')
}

function isEqual(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)]
  return left.length === right.length && timingSafeEqual(left, right)
}

/** The setting that does not fit the store. The message says what to do. */
function wrongKey(message: string): SettingsError {
  return new SettingsError([{ path: [SETTING], code: 'setting_wrong', message: `${SETTING}: ${message}` }])
}

/** One key for each use. @see {@link https://www.rfc-editor.org/rfc/rfc5869.html RFC 5869} */
function derive(key: Uint8Array, use: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', `chancery ${use} v1`, 32))
}
