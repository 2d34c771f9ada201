/** Remembers what must never be written down, and looks for it in what was. */

import { expect } from 'vitest'

/** Shorter texts are found anywhere by chance, and are no secrets. */
const MIN_SECRET_LENGTH = 24

export interface LeakWatch {
  /** Takes anything; what is not a long text is passed over. */
  watch(secret: unknown): void
  /** Fails where a watched secret, or the signature of one, is found in any of these texts. */
  check(texts: Readonly<Record<string, string>>): void
}

export function createLeakWatch(): LeakWatch {
  const secrets = new Set<string>()
  return {
    watch(secret) {
      if (typeof secret !== 'string') return
      for (const part of [secret, ...secret.split('.').slice(1)]) {
        if (part.length >= MIN_SECRET_LENGTH) secrets.add(part)
      }
    },
    check(texts) {
      for (const [name, text] of Object.entries(texts)) {
        const leaked = [...secrets].filter((secret) => text.includes(secret))
        expect(leaked, `secrets in the ${name}`).toEqual([])
        expect(text, `a private key in the ${name}`).not.toMatch(/PRIVATE KEY|"d":/)
      }
    },
  }
}
