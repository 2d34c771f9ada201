/** Reads values as an operator writes them. Each reader throws with what to write instead. */

import { readFileSync, statSync } from 'node:fs'
import { isIP } from 'node:net'
import { availableParallelism } from 'node:os'
import { createSecureContext } from 'node:tls'
import { parseCidr } from './http/client-address.ts'
import type { StoreLocation } from './store/location.ts'
import { parsePostgresUrl } from './store/postgres-url.ts'

export interface ListenAddress {
  /** An IP address, without brackets. */
  readonly host: string
  readonly port: number
}

const KEY_BYTES = 32

const HOST_AND_PORT = /^(\[[^\]]+\]|[^:[\]]+):(\d{1,5})$/

/** Reads `HOST:PORT`, where the host is an IP address or `localhost`. Throws with what to write instead. */
export function parseListenAddress(text: string): ListenAddress {
  const { host, port } = split(text)
  const address = host === 'localhost' ? '127.0.0.1' : host.replace(/^\[|\]$/g, '')
  if (isIP(address) === 0) throw new Error(`"${text}" does not begin with an IP address, such as 127.0.0.1 or [::]`)
  return { host: address, port }
}

/** Reads `HOST:PORT` of an upstream. The port is required: permission is for one service, not for a machine. */
export function parseInsecureHost(text: string): string {
  const { host, port } = split(text)
  if (port === 0 || !/^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)$/.test(host))
    throw new Error(`"${text}" is not HOST:PORT in lower case`)
  return `${host}:${port}`
}

/** Answers whether only this machine can reach an address. */
export function isLoopback(address: string): boolean {
  return address === '::1' || /^127\.\d+\.\d+\.\d+$/.test(address)
}

/** Checks that a certificate and its key can be used together. */
export function checkTls(files: { certFile: string; keyFile: string }): { certFile: string; keyFile: string } {
  createSecureContext({ cert: readFileSync(files.certFile), key: readFileSync(files.keyFile) })
  return files
}

/** Reads a comma list of keys from a variable's value, or from a file. */
export function readKeys(direct: string | undefined, file: string | undefined): readonly Uint8Array[] {
  const text = direct ?? (file === undefined ? undefined : readFileSync(file, 'utf8'))
  return text === undefined ? [] : text.trim().split(',').map(parseKey)
}

/** An issuer is compared to the byte by everybody who trusts us, so it is refused unless it is written the one normal way. */
export function parseIssuer(text: string, isOnLoopback: boolean): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined) throw new Error('is not a URL')
  if (url.search !== '' || url.hash !== '' || text.includes('?') || text.includes('#'))
    throw new Error('must have no query and no fragment')
  if (url.username !== '' || url.password !== '') throw new Error('must hold no credentials')
  if (text.endsWith('/')) throw new Error('must not end with a slash')
  if (url.href !== text && url.href !== `${text}/`)
    throw new Error(`is not in its normal form: write ${url.href.replace(/\/$/, '')}`)
  if (url.protocol === 'https:') return text
  const isLocal = url.protocol === 'http:' && (url.hostname === '127.0.0.1' || url.hostname === '[::1]')
  if (!isLocal) throw new Error('must be https')
  if (!isOnLoopback) throw new Error('must be https when listening beyond loopback')
  return text
}

export function parseNetwork(text: string): string {
  if (parseCidr(text) === undefined) throw new Error(`"${text}" is not a network, such as 10.0.0.0/8`)
  return text
}

/** Where audit records go. */
export type AuditLocation =
  | { readonly kind: 'stdout' }
  | { readonly kind: 'postgres' }
  | { readonly kind: 'file'; readonly path: string }

/** Reads where a store is. Nothing of the text is repeated where it is wrong: it may hold a password. */
export function parseStore(text: string): StoreLocation {
  if (/^postgres(ql)?:/.test(text)) return { kind: 'postgres', ...parsePostgresUrl(text) }
  const path = text.startsWith('sqlite:') ? text.slice('sqlite:'.length) : ''
  if (path === '') throw new Error('is no store: write sqlite:PATH or postgres://USER@HOST/DATABASE')
  return { kind: 'sqlite', path }
}

export function parseAudit(text: string): AuditLocation {
  if (text === 'stdout' || text === 'postgres') return { kind: text }
  const path = text.startsWith('file:') ? text.slice('file:'.length) : ''
  if (path === '') throw new Error('is no sink: write stdout, file:PATH or postgres')
  return { kind: 'file', path }
}

/** Reads the name of a file that holds a password. What is in it is read for every connection. */
export function parsePasswordFile(text: string): string {
  readFileSync(text)
  return text
}

export function parseDirectory(text: string): string {
  if (!statSync(text, { throwIfNoEntry: false })?.isDirectory()) throw new Error(`"${text}" is not a directory`)
  return text
}

export function parseProxy(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'http:' || url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    throw new Error('is not an http proxy, such as http://proxy.corp.example:3128')
  }
  return url
}

/** Reads a number of days. Two are the least: the next key is public for a day before it signs. */
export function parseRotationDays(text: string): number {
  const days = /^\d{1,3}$/.test(text) ? Number(text) : 0
  if (days < 2 || days > 365) throw new Error(`"${text}" is not a whole number of days from 2 to 365`)
  return days
}

/** More than the cores of any machine that serves exchanges; a slip of the finger must not start ten thousand processes. */
const MAX_WORKERS = 128

/** Reads a number of processes. `auto` is as many as can run at a time, which a container's share of the cores may limit. */
export function parseWorkers(text: string): number {
  if (text === 'auto') return Math.min(availableParallelism(), MAX_WORKERS)
  const workers = /^\d{1,3}$/.test(text) ? Number(text) : 0
  if (workers < 1 || workers > MAX_WORKERS) {
    throw new Error(`"${text}" is not a number of processes from 1 to ${MAX_WORKERS}, nor auto`)
  }
  return workers
}

/** The value itself is never repeated, not even a wrong one: it may be a right one with a slip. */
function parseKey(text: string): Uint8Array {
  const bytes = Buffer.from(text.trim(), 'base64')
  if (bytes.length !== KEY_BYTES || bytes.toString('base64').replace(/=+$/, '') !== text.trim().replace(/=+$/, '')) {
    throw new Error('every key must be base64 of exactly 32 bytes, as "openssl rand -base64 32" gives')
  }
  return bytes
}

function split(text: string): { host: string; port: number } {
  const [, host, port] = HOST_AND_PORT.exec(text) ?? []
  if (host === undefined || port === undefined || Number(port) > 65_535) {
    throw new Error(`"${text}" is not HOST:PORT, such as 127.0.0.1:8080 or [::]:8080`)
  }
  return { host, port: Number(port) }
}
