/** A trusted issuer's files and connections, followed as an operator replaces them. */

import { X509Certificate } from 'node:crypto'
import { ProofError } from '../contract/errors.ts'
import type { NumericDate } from '../contract/proof.ts'
import type { Ports } from '../contract/provider.ts'
import { createHttpClient, type HttpClient } from './http.ts'

/** How long a file that an operator may replace is believed, in seconds: less than the minute that we promise. */
const FILE_BELIEVED_SECONDS = 30

/** Gives a file's text, read again at least every half minute. Throws `file_unreadable`. */
export function followFile(name: string, ports: Pick<Ports, 'readFile' | 'now'>): () => Promise<string> {
  let text: Promise<string> | undefined
  let readAt: NumericDate = 0
  return async () => {
    const now = ports.now()
    if (text === undefined || now - readAt >= FILE_BELIEVED_SECONDS || now < readAt) {
      readAt = now
      const reading = ports.readFile(name)
      text = reading
      reading.catch(() => {
        if (text === reading) text = undefined
      })
    }
    try {
      return await text
    } catch (cause) {
      throw unreadable(name, cause)
    }
  }
}

export interface IssuerHttpSettings {
  readonly trustedIssuer: string
  readonly privateHosts: readonly string[]
  readonly caFile: string | undefined
  readonly maxConnections?: number
}

/** Gives the HTTP client of a trusted issuer, a new one when its authority file has changed. */
export function createIssuerHttp(settings: IssuerHttpSettings, ports: Ports): () => Promise<HttpClient> {
  const { caFile, ...of } = settings
  const readAuthorities = caFile === undefined ? async () => undefined : followAuthorities(caFile, ports)
  let client: HttpClient | undefined
  let current: string | undefined
  return async () => {
    const authorities = await readAuthorities()
    if (client === undefined || authorities !== current) {
      client = createHttpClient({ ...of, authorities }, ports)
      current = authorities
    }
    return client
  }
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/**
 * Gives the certificates of a file. Refuses one that holds none: TLS would take an empty list for no list, and trust everybody
 * whom the system trusts.
 */
function followAuthorities(name: string, ports: Pick<Ports, 'readFile' | 'now'>): () => Promise<string> {
  const read = followFile(name, ports)
  let checked: string | undefined
  return async () => {
    const text = await read()
    if (text !== checked) checkCertificates(name, text)
    checked = text
    return text
  }
}

function checkCertificates(name: string, text: string): void {
  const certificates = text.match(CERTIFICATE) ?? []
  if (certificates.length === 0) throw unreadable(name)
  try {
    for (const certificate of certificates) new X509Certificate(certificate)
  } catch (cause) {
    throw unreadable(name, cause)
  }
}

function unreadable(file: string, cause?: unknown): ProofError {
  return new ProofError(
    'file_unreadable',
    'a file that the document names cannot be read, or is not what it should be',
    {
      facts: { file },
      cause,
    },
  )
}
