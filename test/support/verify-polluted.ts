/** A service whose every object inherits what an attacker would like it to. Prints what became of tokens made beforehand. */

import { openVerifyBench } from './verify-bench.ts'

const bench = await openVerifyBench()
const verifier = bench.verifier({ scope: 'entries:read' })
const tokens = {
  whole: bench.token(),
  'no alg': bench.token({}, { alg: undefined }),
  'alg none': bench.token({}, { alg: 'none' }),
  'no kid': bench.token({}, { kid: undefined }),
  'no typ': bench.token({}, { typ: undefined }),
  'no iss': bench.token({ iss: undefined }),
  'no aud': bench.token({ aud: undefined }),
  'no exp': bench.token({ exp: undefined }),
  'no iat': bench.token({ iat: undefined }),
  'no sub': bench.token({ sub: undefined }),
  'no client_id': bench.token({ client_id: undefined }),
  'no jti': bench.token({ jti: undefined }),
  'no proof': bench.token({ proof: undefined }),
  'no scope': bench.token({ scope: undefined }),
}
const { proof, ...claims } = bench.claims()
const spoiled = { ...claims, alg: 'ES256', kid: 'es', typ: 'at+jwt', nbf: 9_999_999_999 }
for (const [name, value] of Object.entries({ ...spoiled, proof })) {
  Object.defineProperty(Object.prototype, name, { value, writable: true, configurable: true })
}
const outcomes: Record<string, string> = {}
for (const [name, token] of Object.entries(tokens)) outcomes[name] = await bench.outcome(token, verifier)
process.stdout.write(JSON.stringify(outcomes))
process.exit(0)
