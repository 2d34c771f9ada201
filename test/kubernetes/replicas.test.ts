/** Many replicas, run by exactly what their manifests say, on a PostgreSQL that is started as its manifest says. */

import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { hasTool } from '../support/found-tool.ts'
import { brokerOf, type Manifest, podOf, renderManifests, workloadsOf } from '../support/manifests.ts'
import { startPod } from '../support/pod.ts'
import { giveToServer, type PostgresServer } from '../support/postgres-server.ts'
import { describePostgres } from '../support/postgres-suite.ts'
import { makeScratch } from '../support/scratch.ts'

const README = readFileSync(new URL('../../infra/kubernetes/README.md', import.meta.url), 'utf8')

/** Makes the database's certificate by the README's own command, but for the name, and gives what a broker mounts of it. */
function makeCertificate(): { readonly directory: string; readonly authority: string } {
  const directory = makeScratch()
  const [command = ''] = /openssl req -x509[\s\S]*?tls\.crt\n/.exec(README) ?? []
  const { status, stderr } = spawnSync('sh', ['-ec', command.replaceAll('chancery-postgresql', 'localhost')], {
    cwd: directory,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  return { directory, authority: readFileSync(join(directory, 'tls.crt'), 'utf8') }
}

/** Gives the settings that the database's manifest starts it with, as `postgresql.conf` has them. */
function settingsOf(manifests: readonly Manifest[], certificates: string): Readonly<Record<string, string>> {
  const database = workloadsOf(manifests).find(({ metadata }) => metadata?.name === 'chancery-postgresql')
  const [container] = database === undefined ? [] : podOf(database).spec.containers
  const settings = (container?.args ?? []).slice(1).map((argument) => {
    const [name = '', value = ''] = argument.replace(/^--/, '').split('=')
    return [name.replaceAll('-', '_'), value.replace('/etc/postgresql/tls', certificates)] as const
  })
  return Object.fromEntries(settings)
}

/** Starts the database with TLS and a password, and gives what a broker's Secret holds, and its address. */
async function prepare(server: PostgresServer, manifests: readonly Manifest[]) {
  const { directory, authority } = makeCertificate()
  const held = server.directory
  for (const file of ['tls.crt', 'tls.key']) {
    writeFileSync(join(held, file), readFileSync(join(directory, file)))
    giveToServer(join(held, file))
  }
  await server.start(settingsOf(manifests, held))
  const url = await server.createDatabase()
  const name = new URL(url).pathname.slice(1)
  await server.query(url, `CREATE ROLE of_${name} LOGIN PASSWORD 'secret'; ALTER DATABASE ${name} OWNER TO of_${name}`)
  return {
    files: { '/etc/chancery/database/ca.crt': authority, '/etc/chancery/database/password': 'secret\n' },
    hosts: { 'chancery@chancery-postgresql:5432/chancery': `of_${name}@localhost:${server.port}/${name}` },
  }
}

describe.skipIf(!hasTool('kubectl', 'many replicas on a database'))('many replicas', () => {
  describePostgres('of the overlay', (server) => {
    test('become ready on one database, which they know by its certificate, and publish the same keys', async () => {
      const manifests = renderManifests('overlays/many-replicas')
      const options = await prepare(server(), manifests)

      const pods = await Promise.all([startPod(manifests, options), startPod(manifests, options)])

      const keys = await Promise.all(
        pods.map(async (pod) => await (await fetch(`${pod.origin('http')}/.well-known/jwks.json`)).json()),
      )
      expect(keys[0]).toEqual(keys[1])
      expect(brokerOf(manifests).container.volumeMounts?.map(({ name }) => name)).not.toContain('store')
    })

    test('do not start on a database that somebody else stands in for', async () => {
      const manifests = renderManifests('overlays/many-replicas')
      const options = await prepare(server(), manifests)
      const files = { ...options.files, '/etc/chancery/database/ca.crt': makeCertificate().authority }

      await expect(startPod(manifests, { ...options, files })).rejects.toThrow(/certificate/)
    })
  })
})
