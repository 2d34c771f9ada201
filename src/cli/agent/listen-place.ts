/** Where an agent may listen: where nobody on another machine can ask it for a token. */

import { isAbsolute } from 'node:path'

export type ListenPlace =
  | { readonly kind: 'socket'; readonly path: string }
  | { readonly kind: 'loopback'; readonly host: '127.0.0.1' | '::1'; readonly port: number }

export const LISTEN_FORMS = 'must be unix:/PATH, 127.0.0.1:PORT or [::1]:PORT; an agent serves its own machine alone'

/** Reads `unix:/PATH`, `127.0.0.1:PORT`, `[::1]:PORT` or `localhost:PORT`. Undefined for anything else, and so for every other address. */
export function parseListen(text: string): ListenPlace | undefined {
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length)
    return isAbsolute(path) ? { kind: 'socket', path } : undefined
  }
  const [, name, digits] = /^(127\.0\.0\.1|localhost|\[::1\]):(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (name === undefined || port > 65_535) return undefined
  return { kind: 'loopback', host: name === '[::1]' ? '::1' : '127.0.0.1', port }
}

/** Gives the place as it is written. */
export function tellPlace(place: ListenPlace): string {
  if (place.kind === 'socket') return `unix:${place.path}`
  return `${place.host === '::1' ? '[::1]' : place.host}:${place.port}`
}
