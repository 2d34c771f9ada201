/**
 * Refuses chunk extensions. Nobody uses them, parsers disagree on where they end, and that disagreement smuggles requests; but
 * Node's parser takes them and tells nobody.
 */

import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

/**
 * The line before a chunk, as far as its extension, or one that is longer than any honest chunk's and may hide one further on. In
 * a form's body every line break is percent-encoded, and no header field's name holds a semicolon, so that neither stands
 * anywhere else in a well-formed request.
 */
const EXTENSION = /\r\n(?:[0-9A-Fa-f]+[ \t]*;|[0-9A-Fa-f \t]{17})/

/** What is kept of one segment to be read with the next: more than the longest beginning of such a line. */
const OVERLAP = 64

/** The parser's own view of the bytes under way, which Node gives to upgrades. */
interface ParserSocket extends Socket {
  readonly parser?: { getCurrentBuffer?: () => Uint8Array | undefined }
}

/**
 * Watches the raw bytes of a chunked request from within its `request` event, and calls back when they hold an extension, before
 * the body has ended. Where the runtime does not show the bytes it calls back at once: what cannot be checked is refused.
 */
export function watchChunkExtensions(request: IncomingMessage, onFound: () => void): void {
  const socket = request.socket as ParserSocket
  const first = socket.parser?.getCurrentBuffer?.()
  if (first === undefined) {
    onFound()
    return
  }
  // The event comes with the head's last line feed, which may be the first byte of this segment.
  let tail = '\r'
  const look = (bytes: Uint8Array): void => {
    const text = tail + Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
    tail = text.slice(-OVERLAP)
    if (EXTENSION.test(text)) onFound()
  }
  socket.on('data', look)
  request.once('close', () => socket.off('data', look))
  look(first)
}
