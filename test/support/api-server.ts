/** A real Kubernetes API server with its etcd, on loopback. It has no nodes: what it is given is validated, admitted and kept, and never run. */

import { spawn } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { vi } from 'vitest'
import { createAuthority } from './certificates.ts'
import type { Finished } from './process.ts'
import { runWithInput } from './run-with-input.ts'

export interface ApiServer {
  readonly origin: string
  /** The file with the certificate of its authority. */
  readonly authorityFile: string
  /** Runs kubectl as an administrator, with its standard input. Throws what it says where it does not end well. */
  kubectl(args: readonly string[], input?: string): Promise<string>
  /** Puts an object there, or changes it. */
  apply(object: object): Promise<void>
  /** As {@link kubectl}, for what may be refused. */
  tryKubectl(args: readonly string[], input?: string): Promise<Finished>
  close(): Promise<void>
}

export interface ApiServerOptions {
  /** Where what it writes goes. */
  readonly directory: string
  readonly port: number
  /** Two ports for its etcd. */
  readonly storePorts: readonly [client: number, peer: number]
  /** Who else may call it: an `AuthenticationConfiguration`. */
  readonly authentication: object
}

/** Starts it, signing tokens as `https://127.0.0.1:PORT`, with the rights that every cluster has. */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { directory, port, storePorts, authentication } = options
  const at = (name: string): string => join(directory, name)
  const origin = `https://127.0.0.1:${port}`
  const [client, peer] = storePorts.map((each) => `http://127.0.0.1:${each}`)
  const authority = createAuthority('cluster')
  const serving = authority.issue({ hostnames: ['127.0.0.1'] })
  const admin = randomBytes(16).toString('hex')
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const files = {
    'authority.pem': authority.cert,
    'serving.pem': serving.cert,
    'serving.key': serving.key,
    'accounts.key': privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
    'tokens.csv': `${admin},admin,1,system:masters\n`,
    'authentication.json': JSON.stringify(authentication),
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(at(name), text, { mode: 0o600 })
  const store = start('etcd', [
    ...['--data-dir', at('etcd'), '--listen-client-urls', `${client}`, '--advertise-client-urls', `${client}`],
    ...['--listen-peer-urls', `${peer}`, '--initial-advertise-peer-urls', `${peer}`],
    ...['--initial-cluster', `default=${peer}`],
  ])
  const server = start('kube-apiserver', [
    ...['--etcd-servers', `${client}`, '--bind-address', '127.0.0.1', '--secure-port', String(port)],
    ...['--tls-cert-file', at('serving.pem'), '--tls-private-key-file', at('serving.key')],
    ...['--service-account-issuer', origin, '--service-account-jwks-uri', `${origin}/openid/v1/jwks`],
    ...['--service-account-key-file', at('accounts.key'), '--service-account-signing-key-file', at('accounts.key')],
    ...['--token-auth-file', at('tokens.csv'), '--authentication-config', at('authentication.json')],
    ...['--authorization-mode', 'RBAC', '--service-cluster-ip-range', '10.0.0.0/24'],
  ])
  const tryKubectl: ApiServer['tryKubectl'] = (args, input) => {
    const trust = ['--server', origin, '--certificate-authority', at('authority.pem'), '--token', admin]
    return runWithInput(
      ['kubectl', '--kubeconfig', '/dev/null', ...trust, ...args],
      input === undefined ? {} : { input },
    )
  }
  const kubectl: ApiServer['kubectl'] = async (args, input) => {
    const { code, out, err } = await tryKubectl(args, input)
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${err}`)
    return out
  }
  const apply: ApiServer['apply'] = async (object) => {
    await kubectl(['apply', '-f', '-'], JSON.stringify(object))
  }
  const close = async (): Promise<void> => {
    await server.end()
    await store.end()
  }
  try {
    await vi.waitFor(
      async () => {
        if (server.hasEnded() || store.hasEnded()) throw new Error(`it ended: ${store.said()}${server.said()}`)
        await kubectl(['get', '--raw', '/readyz'])
      },
      { timeout: 90_000, interval: 250 },
    )
  } catch (error) {
    await close()
    throw new Error(`the API server is not ready: ${server.said()}`, { cause: error })
  }
  return { origin, authorityFile: at('authority.pem'), kubectl, apply, tryKubectl, close }
}

/** Starts a program that is ended by a signal, and keeps the end of what it says. */
function start(program: string, args: readonly string[]) {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said = `${said}${chunk.toString()}`.slice(-4_096)
  })
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()))
  child.on('error', (error) => {
    said += error.message
  })
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null
  return {
    said: () => said,
    hasEnded,
    async end(): Promise<void> {
      child.kill('SIGKILL')
      await ended
    },
  }
}
