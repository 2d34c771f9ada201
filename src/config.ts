/** Environment and flags → {@link BrokerConfig}. A wrong value stops the boot, names itself and says what to do. */

import { SettingsError, type SettingsProblem } from '../providers/contract/errors.ts'
import { CLIENT_VARIABLES } from './client/environment.ts'
import { SERVE_SETTINGS, variableOf } from './config-settings.ts'
import {
  type AuditLocation,
  checkTls,
  isLoopback,
  type ListenAddress,
  parseAudit,
  parseDirectory,
  parseInsecureHost,
  parseIssuer,
  parseListenAddress,
  parseNetwork,
  parsePasswordFile,
  parseProxy,
  parseRotationDays,
  parseStore,
  parseWorkers,
  readKeys,
} from './config-values.ts'
import type { StoreLocation } from './store/location.ts'
import { isLocal } from './store/postgres-url.ts'

export interface BrokerConfig {
  readonly issuer: string
  readonly federationPath: string
  readonly listen: ListenAddress
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined
  readonly trustedProxies: readonly string[]
  readonly store: StoreLocation
  readonly keyRotationSeconds: number
  /** Where the operator's own signing keys are. Undefined where we make them. */
  readonly signingKeysDir: string | undefined
  readonly audit: AuditLocation
  /** Processes that serve. With 1, that is the process that was started. */
  readonly workers: number
  /** Where nobody asked for an address, one that is taken is no reason not to start. */
  readonly metricsListen: ListenAddress & { readonly isDefault: boolean }
  readonly secretsDir: string
  readonly egressProxy: URL | undefined
  readonly insecureHosts: ReadonlySet<string>
  readonly keyEncryptionKeys: readonly Uint8Array[]
}

/** Flags as a command line gives them, by their long name without dashes in front. */
export type Flags = Readonly<Record<string, string | readonly string[] | undefined>>
export type Environment = Readonly<Record<string, string | undefined>>

const SECONDS_OF_A_DAY = 86_400

const KEY_VARIABLE = 'CHANCERY_KEY_ENCRYPTION_KEY'
const KEY_FILE_VARIABLE = `${KEY_VARIABLE}_FILE`
const PASSWORD_FILE_VARIABLE = 'CHANCERY_STORE_PASSWORD_FILE'

const SECRET_KEY_VARIABLES = [KEY_VARIABLE, KEY_FILE_VARIABLE]

/** Reads one setting at a time, and gathers what is wrong with any. */
function createReader(flags: Flags, env: Environment) {
  const problems: SettingsProblem[] = []
  const complain = (name: string, message: string): void => {
    problems.push({ path: [name], code: 'setting_wrong', message: `${name}: ${message}` })
  }
  const locate = (flag: string): { name: string; given: readonly string[] } => {
    const fromFlag = [flags[flag] ?? []].flat()
    if (fromFlag.length > 0) return { name: `--${flag}`, given: fromFlag }
    // An empty variable is how a shell unsets one; an empty flag is a value that went missing.
    const fromEnv = env[variableOf(flag)] ?? ''
    return fromEnv === '' ? { name: `--${flag}`, given: [] } : { name: variableOf(flag), given: [fromEnv] }
  }
  const attempt = <T>(name: string, fallback: T, parse: () => T): T => {
    try {
      return parse()
    } catch (error) {
      complain(name, error instanceof Error ? error.message : 'cannot be used')
      return fallback
    }
  }
  return {
    problems,
    complain,
    attempt,
    has: (flag: string) => locate(flag).given.length > 0,
    one<T>(flag: string, fallback: T, parse: (text: string) => T): T {
      const { name, given } = locate(flag)
      const text = given.at(-1) ?? SERVE_SETTINGS.find((setting) => setting.flag === flag)?.default
      return text === undefined ? fallback : attempt(name, fallback, () => parse(present(text)))
    },
    many(flag: string, parse: (text: string) => string): readonly string[] {
      const { name, given } = locate(flag)
      return given
        .flatMap((text) => text.split(','))
        .map((text) => attempt(name, '', () => parse(present(text.trim()))))
    },
  }
}

function present(text: string): string {
  if (text === '') throw new Error('is empty: give a value, or leave it out')
  return text
}

/** Reads the configuration of `chancery serve`. Throws {@link SettingsError} with everything that is wrong, not just the first. */
export function readServeConfig(flags: Flags, env: Environment = process.env): BrokerConfig {
  const read = createReader(flags, env)
  const listen = read.one('listen', { host: '127.0.0.1', port: 8080 }, parseListenAddress)
  const config = {
    issuer: read.one('issuer', '', (text) => parseIssuer(text, isLoopback(listen.host))),
    federationPath: read.one('federation', '', String),
    listen,
    tls: readTls(read),
    trustedProxies: read.many('trusted-proxy', parseNetwork),
    ...readKeySettings(read, env),
    signingKeysDir: read.one('signing-keys', undefined, parseDirectory),
    audit: read.one('audit', { kind: 'stdout' }, parseAudit),
    workers: read.one('workers', 1, parseWorkers),
    metricsListen: {
      ...read.one('metrics-listen', listen, parseListenAddress),
      isDefault: !read.has('metrics-listen'),
    },
    secretsDir: read.one('secrets-dir', '', (text) => (read.has('secrets-dir') ? parseDirectory(text) : text)),
    egressProxy: read.one('egress-proxy', undefined, parseProxy),
    insecureHosts: new Set(read.many('insecure-host', parseInsecureHost)),
  }
  if (config.audit.kind === 'postgres' && config.store.kind !== 'postgres') {
    read.complain('--audit', 'postgres is the database of --store: give that one as postgres://USER@HOST/DATABASE')
  }
  refuseUnknownVariables(env, read)
  for (const required of ['issuer', 'federation']) {
    if (!read.has(required)) read.complain(`--${required}`, `is required; or set ${variableOf(required)}`)
  }
  const isExposed = !isLoopback(listen.host)
  const hasNoKey =
    config.keyEncryptionKeys.length === 0 && SECRET_KEY_VARIABLES.every((name) => env[name] === undefined)
  if (hasNoKey && (isExposed || isElsewhere(config.store))) {
    const when = isExposed ? 'when listening beyond loopback' : 'where the store is not on this machine'
    read.complain(KEY_VARIABLE, `is required ${when}: base64 of 32 random bytes, as "openssl rand -base64 32" gives`)
  }
  if (isExposed && config.insecureHosts.size > 0)
    read.complain('--insecure-host', 'is for development: it is refused when listening beyond loopback')
  if (read.problems.length > 0) throw new SettingsError(read.problems)
  return config
}

/** What is needed to look after the signing keys of a store. */
export type KeysConfig = Pick<BrokerConfig, 'store' | 'keyRotationSeconds' | 'keyEncryptionKeys'>

/** Reads the configuration of `chancery keys`: the same settings as the broker's, by the same names. Throws {@link SettingsError} as for serve. */
export function readKeysConfig(flags: Flags, env: Environment = process.env): KeysConfig {
  const read = createReader(flags, env)
  const config = readKeySettings(read, env)
  refuseUnknownVariables(env, read)
  if (read.problems.length > 0) throw new SettingsError(read.problems)
  return config
}

function readKeySettings(read: Reader, env: Environment): KeysConfig {
  return {
    store: readStore(env, read),
    keyRotationSeconds: read.one('key-rotation-days', 0, parseRotationDays) * SECONDS_OF_A_DAY,
    keyEncryptionKeys: readKeyEncryptionKeys(env, read),
  }
}

/** A password may stand in the URL, or in a file, so that neither a command line nor the environment has to show it. */
function readStore(env: Environment, read: Reader): StoreLocation {
  const store: StoreLocation = read.one('store', { kind: 'sqlite', path: '' }, parseStore)
  const file = env[PASSWORD_FILE_VARIABLE]
  if (file === undefined) return store
  if (store.kind !== 'postgres') read.complain(PASSWORD_FILE_VARIABLE, 'is for a store that is a PostgreSQL database')
  else if (store.password !== undefined)
    read.complain(PASSWORD_FILE_VARIABLE, 'is set, and --store has a password: leave one')
  else return { ...store, passwordFile: read.attempt(PASSWORD_FILE_VARIABLE, file, () => parsePasswordFile(file)) }
  return store
}

/** Whether what is kept leaves this machine. */
function isElsewhere(store: StoreLocation): boolean {
  return store.kind === 'postgres' && !isLocal(store.host)
}

/** Variables of proxies, which are not read. */
export function findProxyVariables(env: Environment = process.env): readonly string[] {
  return Object.keys(env).filter((name) => /^(https?|all)_proxy$/i.test(name) && env[name] !== '')
}

/** What Kubernetes sets in every pod beside a Service whose name begins with ours. */
const OF_SERVICE = /_(SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/

/** A setting whose name is misspelt would be a setting that nobody made. */
function refuseUnknownVariables(env: Environment, read: Reader): void {
  const ours = [...SERVE_SETTINGS.map(({ flag }) => variableOf(flag)), ...SECRET_KEY_VARIABLES, PASSWORD_FILE_VARIABLE]
  // A broker may run where workloads do, in one environment with them.
  const known = new Set<string>([...ours, ...CLIENT_VARIABLES])
  for (const name of Object.keys(env)) {
    if (!name.startsWith('CHANCERY_') || known.has(name) || OF_SERVICE.test(name)) continue
    read.complain(name, 'is no setting of this version: see chancery serve --help')
  }
}

type Reader = ReturnType<typeof createReader>

function readTls(read: Reader): BrokerConfig['tls'] {
  const certFile = read.one('tls-cert', '', String)
  const keyFile = read.one('tls-key', '', String)
  if (certFile === '' && keyFile === '') return undefined
  if (certFile === '' || keyFile === '') {
    read.complain(certFile === '' ? '--tls-cert' : '--tls-key', 'is missing: --tls-cert and --tls-key go together')
    return undefined
  }
  return read.attempt('--tls-cert, --tls-key', undefined, () => checkTls({ certFile, keyFile }))
}

/** A comma list, so that a new key can be put first while the old one still opens what it sealed. */
function readKeyEncryptionKeys(env: Environment, read: Reader): readonly Uint8Array[] {
  const direct = env[KEY_VARIABLE]
  const file = env[KEY_FILE_VARIABLE]
  if (direct !== undefined && file !== undefined)
    read.complain(KEY_VARIABLE, `is set, and so is ${KEY_FILE_VARIABLE}: leave one`)
  const name = direct === undefined ? KEY_FILE_VARIABLE : KEY_VARIABLE
  return read.attempt(name, [], () => readKeys(direct, file))
}
