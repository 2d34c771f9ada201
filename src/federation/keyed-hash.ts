/**
 * A hash under a secret key, so that who writes documents cannot choose names that all fall into one place: HalfSipHash-1-3 over
 * UTF-16 units.
 *
 * @see {@link https://github.com/veorq/SipHash SipHash's reference implementation}
 */

/** Two words of 32 bits. */
export interface HashKey {
  readonly low: number
  readonly high: number
}

/** Gives 32 bits that tell nothing of the text to whoever does not have the key. */
export function hashOf(text: string, { low, high }: HashKey): number {
  let v0 = low
  let v1 = high
  let v2 = low ^ 0x6c796765
  let v3 = high ^ 0x74656462
  // Each word is two units; the last has what is left over, and the length. One round for each word, three at the end.
  const words = (text.length >> 1) + 1
  for (let turn = 0; turn < words + 3; turn++) {
    const word = turn < words ? wordOf(text, turn) : 0
    if (turn === words) v2 ^= 0xff
    v3 ^= word
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
    v0 ^= word
  }
  return (v1 ^ v3) >>> 0
}

function wordOf(text: string, turn: number): number {
  const at = turn * 2
  if (at + 1 < text.length) return text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16)
  return (at < text.length ? text.charCodeAt(at) : 0) ^ (text.length << 24)
}
