/** Opens the one door of an agent: a socket file of its own, or a port that only this machine reaches. */

import { lstat, unlink } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { SettingsError } from '../../../providers/contract/errors.ts'
import { type ListenPlace, tellPlace } from './listen-place.ts'

/** What nobody else may do with a socket file, nor its owner but for reading and writing: a mask of modes. */
const OTHERS = 0o177

/** Connections at once: more is a leak in whoever asks. */
const MAX_CONNECTIONS = 128

/** How long a request may take to arrive, in milliseconds. */
const REQUEST_MS = 5_000

/** How often it is looked whether one has taken longer, in milliseconds: Node's own 30 s would give it that much more. */
const LOOK_MS = 500

/** Largest head of a request, in bytes. */
const MAX_HEAD_BYTES = 8_192

/** How long an answer under way may take when the door closes, in milliseconds. */
const DRAIN_MS = 1_000

export interface Door {
  /** The place, with the port that was got where none was asked for. */
  readonly place: ListenPlace
  /** Takes no more requests, and lets the ones under way end. */
  close(): Promise<void>
}

/**
 * Listens. A socket file is its owner's alone, and one that a dead agent left is replaced.
 *
 * Throws {@link SettingsError} where the place is taken, or something that is no socket lies there.
 */
export async function openDoor(place: ListenPlace, listener: RequestListener): Promise<Door> {
  const server = createServer(
    {
      maxHeaderSize: MAX_HEAD_BYTES,
      requestTimeout: REQUEST_MS,
      headersTimeout: REQUEST_MS,
      connectionsCheckingInterval: LOOK_MS,
    },
    listener,
  )
  server.maxConnections = MAX_CONNECTIONS
  if (place.kind === 'socket') await clearSocket(place)
  await listen(server, place)
  const bound = place.kind === 'socket' ? place : { ...place, port: (server.address() as AddressInfo).port }
  return {
    place: bound,
    close: () =>
      new Promise((resolve) => {
        const late = setTimeout(() => server.closeAllConnections(), DRAIN_MS)
        server.close(() => {
          clearTimeout(late)
          resolve()
        })
        server.closeIdleConnections()
      }),
  }
}

function listen(server: Server, place: ListenPlace): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(cannot(place, error.message)))
    const options = place.kind === 'socket' ? { path: place.path } : { host: place.host, port: place.port }
    // The socket file is made within this call, and is not for a moment anybody else's.
    const mask = process.umask(OTHERS)
    server.listen(options, resolve)
    process.umask(mask)
  })
}

/** Only a socket that nobody answers at is in nobody's way. */
async function clearSocket(place: ListenPlace & { kind: 'socket' }): Promise<void> {
  const found = await lstat(place.path).catch(() => undefined)
  if (found === undefined) return
  if (!found.isSocket()) throw cannot(place, 'something else lies there')
  if (await isAnswered(place.path)) throw cannot(place, 'another agent listens there')
  await unlink(place.path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT')
      throw cannot(place, `the socket of an agent that has ended is in the way: ${error.message}`)
  })
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(path, () => {
      connection.destroy()
      resolve(true)
    })
    // One that we may not ask, or that is too busy to hear us, is there all the same.
    connection.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'))
  })
}

function cannot(place: ListenPlace, why: string): SettingsError {
  const message = `listen: cannot listen at ${tellPlace(place)}: ${why}`
  return new SettingsError([{ path: ['listen'], code: 'setting_wrong', message }])
}
