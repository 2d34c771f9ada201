/** Where a PostgreSQL store is, as a URL says. */

/** A database, and whom to trust as its server. */
export interface PostgresLocation {
  /** A name, an address, or the directory of a local socket. */
  readonly host: string
  readonly port: number
  readonly user: string
  readonly database: string
  /** Undefined where the URL holds none. */
  readonly password: string | undefined
  /** The password is read from it for every connection, so that it can be renewed. */
  readonly passwordFile: string | undefined
  /** Undefined where the connection never leaves this machine. */
  readonly tls: { readonly rootCertFile: string | undefined } | undefined
}

const DEFAULT_PORT = 5432

const PARAMETERS = ['host', 'user', 'sslmode', 'sslrootcert']

const FORM = 'write postgres://USER@HOST/DATABASE'

/**
 * Reads `postgres://USER[:PASSWORD]@HOST[:PORT]/DATABASE`, or `postgres:///DATABASE?host=/DIRECTORY&user=USER` for a local socket.
 *
 * Beyond this machine the server's certificate and name are always checked, by the system's authorities or those in
 * `sslrootcert`: whoever answers in the server's place decides which proofs were spent. Refuses what would not check both, and
 * every parameter that it does not know. No message repeats any part of the text, which may hold a password.
 *
 * @see {@link https://www.postgresql.org/docs/current/libpq-ssl.html PostgreSQL on sslmode}
 */
export function parsePostgresUrl(text: string): PostgresLocation {
  if (text.includes('#')) throw new Error('has a "#": write it as %23')
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^postgres(ql)?:$/.test(url.protocol)) throw new Error(`is not a PostgreSQL URL: ${FORM}`)
  const parameters = readParameters(url)
  const host = readHost(url, parameters.get('host'))
  const user = decode(url.username) || (parameters.get('user') ?? '')
  const database = decode(url.pathname.slice(1))
  if (user === '') throw new Error(`names no user: ${FORM}`)
  if (database === '' || database.includes('/')) throw new Error(`names no database: ${FORM}`)
  return {
    host,
    port: url.port === '' ? DEFAULT_PORT : Number(url.port),
    user,
    database,
    password: decode(url.password) || undefined,
    passwordFile: undefined,
    tls: readTls(isLocal(host), parameters),
  }
}

/** Names a store without its password. */
export function describePostgres({ host, port, user, database }: PostgresLocation): string {
  const where = host.startsWith('/') ? host : `${host.includes(':') ? `[${host}]` : host}:${port}`
  return `${user}@${where}/${database}`
}

/** Whether connections to it never leave this machine. */
export function isLocal(host: string): boolean {
  return host.startsWith('/') || host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
}

function readParameters({ searchParams }: URL): ReadonlyMap<string, string> {
  for (const name of new Set(searchParams.keys())) {
    if (!PARAMETERS.includes(name)) throw new Error(`has a parameter other than ${PARAMETERS.join(', ')}`)
    if (searchParams.getAll(name).length > 1) throw new Error(`has the parameter ${name} twice`)
  }
  return new Map(searchParams)
}

function readHost(url: URL, socketDirectory: string | undefined): string {
  const host = decode(url.hostname).replace(/^\[|\]$/g, '')
  if (socketDirectory === undefined) {
    if (host === '') throw new Error(`names no host: ${FORM}`)
    if (!/^[\w.:-]+$/.test(host)) throw new Error('must name one host: a list of them is not followed')
    return host
  }
  if (host !== '' || !socketDirectory.startsWith('/')) {
    throw new Error('names its host twice, or not as a directory: host= is for the directory of a local socket')
  }
  return socketDirectory
}

function readTls(isOnThisMachine: boolean, parameters: ReadonlyMap<string, string>): PostgresLocation['tls'] {
  const mode = parameters.get('sslmode') ?? (isOnThisMachine ? 'disable' : 'verify-full')
  const rootCertFile = parameters.get('sslrootcert')
  if (mode === 'verify-full') return { rootCertFile }
  if (mode !== 'disable')
    throw new Error('must have sslmode=verify-full: all others let anybody answer as the database')
  if (!isOnThisMachine) throw new Error('must not have sslmode=disable beyond this machine: write sslmode=verify-full')
  if (rootCertFile !== undefined)
    throw new Error('has an sslrootcert that nothing is checked by: add sslmode=verify-full')
  return undefined
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new Error('has a "%" that encodes nothing: write it as %25')
  }
}
