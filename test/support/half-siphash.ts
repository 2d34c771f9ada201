/**
 * HalfSipHash for any number of rounds, as its authors' C code has it: one step after the other, on bytes.
 *
 * @see {@link https://github.com/veorq/SipHash/blob/master/halfsiphash.c the reference implementation}
 */

/** Rounds for each word, and at the end. */
export interface Rounds {
  readonly each: number
  readonly last: number
}

/** Gives 32 bits. `length` is what is counted into the last word: that of the bytes, unless somebody counts otherwise. */
export function halfSipHash(
  bytes: Uint8Array,
  key: { readonly low: number; readonly high: number },
  { each, last }: Rounds,
  length = bytes.length,
): number {
  let v0 = key.low
  let v1 = key.high
  let v2 = 0x6c796765 ^ key.low
  let v3 = 0x74656462 ^ key.high
  const rotate = (word: number, by: number): number => (word << by) | (word >>> (32 - by))
  const round = (times: number): void => {
    for (let turn = 0; turn < times; turn++) {
      v0 = (v0 + v1) | 0
      v1 = rotate(v1, 5) ^ v0
      v0 = rotate(v0, 16)
      v2 = (v2 + v3) | 0
      v3 = rotate(v3, 8) ^ v2
      v0 = (v0 + v3) | 0
      v3 = rotate(v3, 7) ^ v0
      v2 = (v2 + v1) | 0
      v1 = rotate(v1, 13) ^ v2
      v2 = rotate(v2, 16)
    }
  }
  const padded = new Uint8Array(Math.floor(bytes.length / 4) * 4 + 4)
  padded.set(bytes)
  const words = new DataView(padded.buffer)
  for (let at = 0; at < padded.length; at += 4) {
    const word = words.getInt32(at, true) | (at + 4 === padded.length ? length << 24 : 0)
    v3 ^= word
    round(each)
    v0 ^= word
  }
  v2 ^= 0xff
  round(last)
  return (v1 ^ v3) >>> 0
}
