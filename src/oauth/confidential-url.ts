/** Where secrets may be sent: over https, and on this machine. */

/** What stands for this machine in a URL. The rest of 127.0.0.0/8 is this machine on some systems, and on others nobody. */
const OWN_NAMES: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost'])

/** Answers whether what is sent there can be read by nobody on the way: https, or this machine. */
export function isConfidential(url: Pick<URL, 'protocol' | 'hostname'>): boolean {
  return url.protocol === 'https:' || (url.protocol === 'http:' && isThisMachine(url))
}

/** Answers whether a URL names this machine. */
export function isThisMachine({ hostname }: Pick<URL, 'hostname'>): boolean {
  return OWN_NAMES.has(hostname)
}
