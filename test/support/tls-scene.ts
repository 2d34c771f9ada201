/** A scene whose broker is spoken to over TLS. Its `exchange` and `send` do not know the authority: bytes are sent by a wire. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAuthority } from './certificates.ts'
import type { Wire } from './raw-segments.ts'
import { openScene, type Scene } from './scene.ts'

export interface WiredScene {
  readonly scene: Scene
  readonly wire: Wire
  close(): Promise<void>
}

/** Opens a scene, with a certificate of a test's authority where it is to be TLS. */
export async function openWiredScene(transport: 'plain' | 'tls'): Promise<WiredScene> {
  const directory = mkdtempSync(join(tmpdir(), 'chancery-tls-'))
  const authority = createAuthority('authority')
  const { cert, key } = authority.issue({ hostnames: ['broker.example'] })
  const flags = { 'tls-cert': join(directory, 'cert.pem'), 'tls-key': join(directory, 'key.pem') }
  writeFileSync(flags['tls-cert'], cert)
  writeFileSync(flags['tls-key'], key)
  const isTls = transport === 'tls'
  const scene = await openScene({ cluster: { algorithm: 'ES256' }, broker: isTls ? { flags } : {} })
  return {
    scene,
    wire: { origin: scene.broker.origin, ...(isTls ? { authority: authority.cert } : {}) },
    async close() {
      await scene.close()
      rmSync(directory, { recursive: true })
    },
  }
}
