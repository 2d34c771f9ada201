/** How often this runtime can do the two unavoidable steps of an exchange on one core: verify an RS256 proof, sign an ES256 token. */

import { generateKeyPairSync, sign, verify } from 'node:crypto'

const proof = Buffer.alloc(800, 'a')
const token = Buffer.alloc(700, 'b')
const platform = generateKeyPairSync('rsa', { modulusLength: 2_048 })
const ours = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const signature = sign('sha256', proof, platform.privateKey)

/** Gives repetitions a second, over some seconds. */
function measure(seconds: number): number {
  const end = performance.now() + seconds * 1_000
  let count = 0
  while (performance.now() < end) {
    for (let turn = 0; turn < 50; turn++) {
      verify('sha256', proof, platform.publicKey, signature)
      sign('sha256', token, ours.privateKey)
    }
    count += 50
  }
  return count / seconds
}

measure(0.5)
process.stdout.write(`${Math.round(measure(Number(process.argv[2] ?? 3)))}\n`)
