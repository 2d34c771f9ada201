/** A real broker at its own address, a cluster whose pod is the workload, and the command where consumers look for it. */

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type KubernetesStandIn, startKubernetesStandIn } from '../../providers/kubernetes/stand-in/stand-in.ts'
import { startTestBroker, type TestBroker } from './broker.ts'
import { bindingFor, documentFor } from './document.ts'
import { type Finished, findFreePort } from './process.ts'
import { type RunOptions, runWithInput } from './run-with-input.ts'

const COMMAND = fileURLToPath(new URL('../../src/launch.mjs', import.meta.url))

/** The names by which consumers start the command. */
const NAMES = ['chancery', 'git-credential-chancery', 'docker-credential-chancery', 'terraform-credentials-chancery']

/** What the pod may have tokens for, beside those of a scene's own. */
export const AUDIENCES = ['ledger', 'git', 'registry', 'sts.amazonaws.com']

export interface CredentialScene {
  readonly broker: TestBroker
  readonly cluster: KubernetesStandIn
  /** A directory of the scene's own. */
  readonly directory: string
  /** The command, by its names. */
  readonly bin: string
  /** Runs a program to its end, where the command is found and nothing of this machine's settings is. */
  run(command: readonly string[], options?: RunOptions): Promise<Finished>
  /** The environment that programs run in. */
  environment(more?: Readonly<Record<string, string>>): Record<string, string>
  /** Counts the tokens that were issued. */
  issued(): number
  close(): Promise<void>
}

/** What a broker is to trust beside the cluster. */
export interface MoreTrust {
  readonly trusted_issuers: Readonly<Record<string, object>>
  readonly bindings: Readonly<Record<string, object>>
  readonly hosts: readonly string[]
}

const NOTHING_MORE: MoreTrust = { trusted_issuers: {}, bindings: {}, hosts: [] }

/** Opens it. Its clock is the system's, as the consumers' is. */
export async function openCredentialScene(
  audiences: readonly string[] = AUDIENCES,
  more: MoreTrust = NOTHING_MORE,
): Promise<CredentialScene> {
  const directory = mkdtempSync(join(tmpdir(), 'chancery-credential-'))
  const now = () => Math.floor(Date.now() / 1_000)
  const cluster = await startKubernetesStandIn()
  cluster.createServiceAccount('payments', 'api')
  const address = `127.0.0.1:${await findFreePort()}`
  const broker = await startTestBroker({
    clock: { now, advance: () => undefined },
    document: documentFor(cluster.issuer, {
      proof_audiences: [`http://${address}`],
      audiences: Object.fromEntries(audiences.map((audience) => [audience, {}])),
      identities: { 'payments/api': { grants: Object.fromEntries(audiences.map((audience) => [audience, []])) } },
      trusted_issuers: { cluster: { provider: 'kubernetes', issuers: [cluster.issuer] }, ...more.trusted_issuers },
      bindings: { 'payments-api': bindingFor('payments', 'api', 'payments/api'), ...more.bindings },
    }),
    insecureHosts: [cluster.host, ...more.hosts],
    flags: { issuer: `http://${address}`, listen: address },
  })
  const proof = await cluster.requestToken({
    namespace: 'payments',
    serviceAccount: 'api',
    audiences: [`http://${address}`],
  })
  const bin = join(directory, 'bin')
  mkdirSync(bin)
  for (const name of NAMES) symlinkSync(COMMAND, join(bin, name))
  writeFileSync(join(directory, 'proof'), `${proof}\n`)
  const environment: CredentialScene['environment'] = (more = {}) => ({
    PATH: `${bin}:${dirname(process.execPath)}:${process.env.PATH ?? ''}`,
    HOME: directory,
    XDG_CACHE_HOME: join(directory, 'cache'),
    CHANCERY_BROKER: broker.origin,
    CHANCERY_PROOF_FILE: join(directory, 'proof'),
    ...more,
  })
  return {
    broker,
    cluster,
    directory,
    bin,
    environment,
    run: (command, { env, ...options } = {}) =>
      runWithInput(command, { cwd: directory, ...options, env: environment(env) }),
    issued: () => broker.records().filter(({ decision }) => decision === 'issued').length,
    async close() {
      await broker.stop()
      await cluster.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
