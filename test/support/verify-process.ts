/** A service with our verifier as a process of its own, under whatever runtime it is started with. Prints what became of each token and request. */

import { connect } from 'node:net'
import { signerOf } from './raw-jws.ts'
import { openVerifyBench } from './verify-bench.ts'
import { SERVICES } from './verify-services.ts'

const bench = await openVerifyBench()
const outcomes: Record<string, unknown> = {
  es256: await bench.outcome(bench.token()),
  rs256: await bench.outcome(
    bench.forge({ alg: 'RS256', kid: 'rs', typ: 'at+jwt' }, bench.claims(), signerOf(bench.rs256)),
  ),
  forged: await bench.outcome(bench.forge({ alg: 'RS256', kid: 'rs', typ: 'at+jwt' }, bench.claims())),
  none: await bench.outcome(bench.token({}, { alg: 'none' })),
  padded: await bench.outcome(`${bench.token()}=`),
  twice: await bench.outcome(bench.forge({ alg: 'ES256', kid: 'es', typ: 'at+jwt' }, '{"aud":"x","aud":"ledger"}')),
  expired: await bench.outcome(bench.token({ iat: bench.clock.now() - 900, exp: bench.clock.now() - 600 })),
  unknown: await bench.outcome(bench.token({}, { kid: 'x' })),
  fetches: bench.fetches(),
}
bench.answer((_, response) => void response.writeHead(302, { location: '/.well-known/jwks.json' }).end())
outcomes.redirected = await bench.outcome(bench.token(), bench.verifier())
bench.answer((_, response) => void response.writeHead(200).end('x'.repeat(100_000)))
outcomes.tooLarge = await bench.outcome(bench.token(), bench.verifier())
bench.publish([bench.es256.jwk])

for (const [name, start] of SERVICES) {
  const service = await start(bench.verifier())
  const ask = async (authorization?: string): Promise<string> => {
    const response = await fetch(service.origin, authorization === undefined ? {} : { headers: { authorization } })
    return `${response.status} ${await response.text()}`
  }
  const token = bench.token()
  outcomes[name] = [await ask(`Bearer ${token}`), await ask(), await ask(`Bearer ${token} x`)]
  outcomes[`${name}, header twice`] = await askTwice(service.origin, token)
  await service.close()
}
await bench.close()
process.stdout.write(JSON.stringify(outcomes))
process.exit(0)

/** Gives the status of a request with two Authorization headers. */
function askTwice(origin: string, token: string): Promise<string> {
  const { hostname, port } = new URL(origin)
  const line = `Authorization: Bearer ${token}\r\n`
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) })
    let text = ''
    socket.on('error', reject)
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    socket.on('close', () => resolve(text.slice(9, 12)))
    socket.write(`GET / HTTP/1.1\r\nHost: ledger\r\n${line}${line}Connection: close\r\n\r\n`)
  })
}
