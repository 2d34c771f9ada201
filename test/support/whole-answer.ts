/** The answer to an exchange, byte for byte but for the two fields that may differ. */

import { formOf, type Parameters, type TestBroker } from './broker.ts'
import { openSocket, readToClose } from './raw-http.ts'

/** Sends an exchange over a connection of its own, and gives all that comes back: status line, fields and body. */
export async function wholeAnswer(broker: TestBroker, proof: string, parameters: Parameters = {}): Promise<string> {
  broker.watch(proof)
  const body = formOf(proof, parameters).toString()
  const socket = await openSocket(broker.origin)
  const received = readToClose(socket)
  const fields = ['Host: broker.example', 'Content-Type: application/x-www-form-urlencoded', 'Connection: close']
  socket.write(`POST /token HTTP/1.1\r\n${fields.join('\r\n')}\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  return (await received)
    .replace(/^(date: )[^\r]+/im, '$1(when)')
    .replace(/^(x-request-id: )[0-9a-f-]{36}\r/im, '$1(which)\r')
}
