/** Who answers as the database, and by what password a broker is known to it. */

import { writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { openPostgresStore } from '../../src/store/postgres.ts'
import { type PostgresLocation, parsePostgresUrl } from '../../src/store/postgres-url.ts'
import { createAuthority } from '../support/certificates.ts'
import { giveToServer } from '../support/postgres-server.ts'
import { describePostgres } from '../support/postgres-suite.ts'
import { makeScratch } from '../support/scratch.ts'

const authority = createAuthority('the authority of the database')

/** Local connections of the superuser are let in, and all others by password. */
const HOSTS = `local all all trust
host all postgres 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
`

function fileOf(text: string): string {
  const file = join(makeScratch(), 'file')
  writeFileSync(file, text)
  return file
}

async function tryOpen(location: PostgresLocation): Promise<string> {
  const store = await openPostgresStore(location).catch((error: Error) => error.message)
  if (typeof store === 'string') return store
  await store.signingKeys()
  await store.close()
  return 'opened'
}

describePostgres('a PostgreSQL server that is looked at closely', (server) => {
  beforeAll(async () => {
    const write = (name: string, text: string): string => {
      const file = join(server().directory, name)
      writeFileSync(file, text)
      giveToServer(file)
      return file
    }
    const { cert, key } = authority.issue({ hostnames: ['localhost'] })
    await server().start({
      ssl: 'on',
      ssl_cert_file: write('cert.pem', cert),
      ssl_key_file: write('key.pem', key),
      hba_file: write('hosts', HOSTS),
    })
  })

  const urlFor = async (host: string, parameters = '', user = 'postgres'): Promise<string> =>
    (await server().createDatabase()).replace('postgres@127.0.0.1', `${user}@${host}`) + parameters

  describe('by its certificate', () => {
    test('is taken where an authority that is trusted vouches for its name', async () => {
      const url = await urlFor('localhost', `?sslmode=verify-full&sslrootcert=${fileOf(authority.cert)}`)

      expect(await tryOpen(parsePostgresUrl(url))).toBe('opened')
    })

    test('is not taken where another authority is trusted, or the system’s', async () => {
      const other = fileOf(createAuthority('another authority').cert)

      expect(
        await tryOpen(parsePostgresUrl(await urlFor('localhost', `?sslmode=verify-full&sslrootcert=${other}`))),
      ).toContain('certificate')
      expect(await tryOpen(parsePostgresUrl(await urlFor('localhost', '?sslmode=verify-full')))).toContain(
        'certificate',
      )
    })

    test('is not taken under a name or an address that the certificate does not have', async () => {
      const url = await urlFor('127.0.0.1', `?sslmode=verify-full&sslrootcert=${fileOf(authority.cert)}`)

      expect(await tryOpen(parsePostgresUrl(url))).toContain("does not match certificate's altnames")
    })

    test('is not taken where the authorities cannot be read', async () => {
      const url = await urlFor('localhost', '?sslmode=verify-full&sslrootcert=/nowhere/ca.pem')

      expect(await tryOpen(parsePostgresUrl(url))).toContain('/nowhere/ca.pem')
    })

    test('is not spoken to in the clear where it has no TLS', async () => {
      const url = await urlFor('localhost', `?sslmode=verify-full&sslrootcert=${fileOf(authority.cert)}`)
      const plain = createServer((socket) => socket.once('data', () => socket.end('N')).on('error', () => undefined))
      await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve))
      onTestFinished(() => void plain.close())
      const { port } = plain.address() as AddressInfo

      expect(await tryOpen({ ...parsePostgresUrl(url), port })).toContain('does not support SSL')
    })
  })

  test('is reached by its local socket, which nobody else can stand in for', async () => {
    const database = (await server().createDatabase()).split('/').at(-1)
    const parsed = parsePostgresUrl(`postgres:///${database}?host=${server().directory}&user=postgres`)

    expect(await tryOpen({ ...parsed, port: server().port })).toBe('opened')
  })

  describe('by the password', () => {
    let roles = 0
    const query = (sql: string) => server().query(server().urlOf('postgres'), sql)

    async function locationOf(password: string): Promise<PostgresLocation> {
      const role = `keyed_${++roles}`
      await query(`CREATE ROLE ${role} LOGIN SUPERUSER PASSWORD '${password}'`)
      return parsePostgresUrl(await urlFor('127.0.0.1', '', role))
    }

    test('lets in whoever has it in the URL, in a file or in the variable of PostgreSQL’s own clients', async () => {
      const location = await locationOf('p@ss w0rd')

      expect(await tryOpen({ ...location, password: 'p@ss w0rd' })).toBe('opened')
      expect(await tryOpen({ ...location, passwordFile: fileOf('p@ss w0rd\n') })).toBe('opened')
      vi.stubEnv('PGPASSWORD', 'p@ss w0rd')
      expect(await tryOpen(location)).toBe('opened')
    })

    test('lets nobody else in, and is in no message', async () => {
      const location = await locationOf('p@ss w0rd')

      const messages = [
        await tryOpen({ ...location, password: 'wr0ng' }),
        await tryOpen({ ...location, passwordFile: fileOf('wr0ng') }),
        await tryOpen({ ...location, passwordFile: '/nowhere/password' }),
      ]

      expect(messages[0]).toContain('password authentication failed')
      expect(messages[1]).toContain('password authentication failed')
      expect(messages[2]).toContain('/nowhere/password')
      expect(messages.join()).not.toContain('wr0ng')
    })

    test('may be renewed in its file while the store is open', async () => {
      const location = await locationOf('old')
      const passwordFile = fileOf('old')
      const store = await openPostgresStore({ ...location, passwordFile })
      onTestFinished(() => store.close())

      writeFileSync(passwordFile, 'new')
      await query(`ALTER ROLE ${location.user} PASSWORD 'new'`)
      await query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'chancery'")

      expect((await store.signingKeys()).keys).toEqual([])
    })
  })
})
