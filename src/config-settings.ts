/** The settings that can be made, as the help tells of them. */

/** One setting: a flag, and an environment variable of the same name. */
export interface SettingDescription {
  readonly flag: string
  readonly value: string
  readonly help: string
  readonly default?: string
  readonly isRepeatable?: boolean
}

/** Every setting of `chancery serve`, in the order of its help. */
export const SERVE_SETTINGS: readonly SettingDescription[] = [
  { flag: 'issuer', value: 'URL', help: 'who we are: the iss of our tokens, an https URL (required)' },
  {
    flag: 'federation',
    value: 'PATH',
    help: 'the federation documents: a .json or .json.gz file, or a directory of them (required)',
  },
  { flag: 'listen', value: 'HOST:PORT', help: 'where to take requests', default: '127.0.0.1:8080' },
  { flag: 'tls-cert', value: 'FILE', help: 'certificate chain in PEM; followed when it changes' },
  { flag: 'tls-key', value: 'FILE', help: 'its private key in PEM' },
  {
    flag: 'trusted-proxy',
    value: 'CIDR',
    help: 'a network whose X-Forwarded-For is believed; may be repeated',
    isRepeatable: true,
  },
  {
    flag: 'store',
    value: 'STORE',
    help: 'where keys, spent proofs and the last good documents are kept: sqlite:PATH or postgres://USER@HOST/DATABASE',
    default: 'sqlite:./chancery.db',
  },
  {
    flag: 'key-rotation-days',
    value: 'DAYS',
    help: 'how long a signing key signs before the next one takes over, 2 to 365',
    default: '30',
  },
  {
    flag: 'signing-keys',
    value: 'DIR',
    help: 'sign with the PKCS#8 keys in this directory, which you rotate by adding files, and make none',
  },
  {
    flag: 'audit',
    value: 'SINK',
    help: 'where audit records go: stdout, file:PATH, or postgres for the store’s database',
    default: 'stdout',
  },
  {
    flag: 'workers',
    value: 'N',
    help: 'processes that share the listener; auto is one for each core',
    default: '1',
  },
  { flag: 'metrics-listen', value: 'HOST:PORT', help: 'where Prometheus finds /metrics', default: '127.0.0.1:9464' },
  {
    flag: 'secrets-dir',
    value: 'DIR',
    help: 'where files named by the document lie',
    default: '/run/secrets/chancery',
  },
  {
    flag: 'egress-proxy',
    value: 'URL',
    help: 'an http proxy for every outbound connection; HTTP_PROXY and the like are ignored',
  },
  {
    flag: 'insecure-host',
    value: 'HOST:PORT',
    help: 'may be plain http or private: for development and tests, on loopback only; may be repeated',
    isRepeatable: true,
  },
]

/** Gives the environment variable that stands for a flag. */
export function variableOf(flag: string): string {
  return `CHANCERY_${flag.toUpperCase().replaceAll('-', '_')}`
}
