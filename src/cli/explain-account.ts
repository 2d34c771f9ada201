/** Gathers what can be said of attributes, of a proof, or of a recorded request. */

import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { type Facts, ProofError } from '../../providers/contract/errors.ts'
import type { Attributes, UnverifiedProof } from '../../providers/contract/proof.ts'
import type { ProofVerifier } from '../../providers/contract/provider.ts'
import { isJsonObject, parseStrictJson } from '../../providers/contract/strict-json.ts'
import { REASON_MEANINGS } from '../audit/reason-meanings.ts'
import type { RefusalReason } from '../audit/reasons.ts'
import { canonical } from '../federation/canonical.ts'
import { type Explanation, explain } from '../federation/explain.ts'
import type { Federation } from '../federation/federation.ts'
import { UsageError } from './exit.ts'
import { findRecord, type Recorded } from './find-record.ts'

/** Refusals by mapping: what the document says of them now is in the explanations. */
const MAPPING_REASONS: ReadonlySet<string> = new Set<RefusalReason>([
  'issuer_suspended',
  'binding_missing',
  'binding_suspended',
  'identity_malformed',
  'identity_suspended',
])

/** What kept a proof from being mapped, or its identity from being given what it asked for. */
export interface Trouble {
  /** Of a broker of another version, one that this one may not know. */
  readonly reason: string
  readonly meaning: string
  readonly facts: Facts
}

/** Everything that can be said, in the order in which it is told. */
export interface Account {
  readonly document: string
  /** Null unless a record is explained. */
  readonly recorded: Recorded | null
  /** How far the attributes can be believed. */
  readonly source: 'given' | 'recorded' | 'unverified proof' | 'verified proof'
  readonly attributes: Readonly<Record<string, string>>
  /** Names among them that no such proof has; told of attributes that somebody typed. */
  readonly unknown: readonly string[]
  readonly trouble: Trouble | null
  /** One for each trusted issuer that the attributes could be of. */
  readonly explanations: readonly Explanation[]
}

/** Explains attributes written by hand. Without a trusted issuer's name, those of every one of their cloud. */
export function accountOfAttributes(json: string, trustedIssuer: string | undefined, federation: Federation): Account {
  const given = parseAttributes(json)
  const clouds = new Set([...given.keys()].map((name) => name.split('.', 1)[0] ?? ''))
  const candidates = federation.issuers.filter(({ name, provider }) =>
    trustedIssuer === undefined ? clouds.has(provider.name) : name === trustedIssuer,
  )
  if (candidates.length === 0) {
    const known = federation.issuers.map(({ name, provider }) => `${name} (${provider.name})`).join(', ')
    throw new UsageError(`no trusted issuer has such proofs; the document has ${known}`)
  }
  const catalogues = candidates.map(({ provider }) => provider.attributes)
  const describe = (name: string) => catalogues.find((catalogue) => catalogue.has(name))?.get(name)
  const told = account(
    federation,
    'given',
    new Map([...given].map(([name, value]) => [name, canonical(describe(name), value)])),
    candidates.map(({ name }) => name),
  )
  return { ...told, unknown: [...given.keys()].filter((name) => describe(name) === undefined) }
}

/** Explains a proof in a file, or on standard input where the name is `-`. Only `verify` fetches anything. */
export async function accountOfProof(
  file: string,
  isVerified: boolean,
  verifiers: readonly ProofVerifier[],
  federation: Federation,
): Promise<Account> {
  const text = await readFile(file === '-' ? '/dev/stdin' : file, 'utf8').catch(() => undefined)
  if (text === undefined) throw new UsageError(`--proof: ${file} cannot be read`)
  const proof = text.trim() as UnverifiedProof
  const verifier = chooseVerifier(proof, verifiers, federation)
  const { trustedIssuer, attributes, trouble } = verifier.inspect(proof)
  const found = isVerified ? await findVerificationTrouble(verifier, proof) : trouble
  const source = isVerified && found === undefined ? 'verified proof' : 'unverified proof'
  const told = account(federation, source, attributes, trustedIssuer === undefined ? [] : [trustedIssuer])
  return found === undefined ? told : { ...told, trouble: troubleOf(found.code, found.facts) }
}

/** Explains a recorded request: what was decided then, and what the document would decide now. */
export async function accountOfRecord(file: string, requestId: string, federation: Federation): Promise<Account> {
  if (file !== '-' && !existsSync(file)) throw new UsageError(`--audit: ${file} does not exist`)
  const record = await findRecord(file, requestId)
  if (record === undefined) {
    throw new UsageError(
      `--request-id: ${file} has no record of ${requestId}; beyond 100 a second, refusals are sampled`,
    )
  }
  const { trusted_issuer: trustedIssuer, attributes, ...recorded } = record
  const { reason } = recorded
  const isMapped = trustedIssuer !== null && attributes !== null
  const told = account(
    federation,
    'recorded',
    new Map(Object.entries(attributes ?? {})),
    isMapped ? [trustedIssuer] : [],
  )
  const isExplained = reason === null || (isMapped && MAPPING_REASONS.has(reason))
  return { ...told, recorded, trouble: isExplained ? null : troubleOf(reason, {}) }
}

function account(
  federation: Federation,
  source: Account['source'],
  attributes: Attributes,
  trustedIssuers: readonly string[],
): Account {
  return {
    document: federation.digest,
    recorded: null,
    source,
    attributes: Object.fromEntries(attributes),
    unknown: [],
    trouble: null,
    explanations: trustedIssuers.map((name) => explain(federation, name, attributes)),
  }
}

function parseAttributes(json: string): Attributes {
  const example = '{"kubernetes.namespace":"payments","kubernetes.service_account":"api"}'
  try {
    const given = parseStrictJson(json, 1)
    if (!isJsonObject(given)) throw new TypeError('not an object')
    return new Map(
      Object.entries(given).map(([name, value]) => {
        if (typeof value !== 'string') throw new TypeError('not a string')
        return [name, value]
      }),
    )
  } catch {
    throw new UsageError(`--attributes: write a JSON object of strings, each name once, such as ${example}`)
  }
}

/** The verifier that an exchange would choose, under whichever token type; else one that can say what is wrong. */
function chooseVerifier(
  proof: UnverifiedProof,
  verifiers: readonly ProofVerifier[],
  federation: Federation,
): ProofVerifier {
  const types = new Set(federation.issuers.flatMap(({ provider }) => provider.subjectTokenTypes))
  const recognising = verifiers.find((verifier) => [...types].some((type) => verifier.recognises(proof, type)))
  const chosen = recognising ?? verifiers[0]
  if (chosen === undefined) throw new UsageError('the document has no trusted issuer')
  return chosen
}

async function findVerificationTrouble(
  verifier: ProofVerifier,
  proof: UnverifiedProof,
): Promise<ProofError | undefined> {
  try {
    await verifier.verify(proof, {}, AbortSignal.timeout(10_000))
    return undefined
  } catch (error) {
    if (error instanceof ProofError) return error
    throw error
  }
}

function troubleOf(reason: string, facts: Facts): Trouble {
  const meaning = isKnown(reason) ? REASON_MEANINGS[reason] : 'A reason of another version of the broker.'
  return { reason, meaning, facts }
}

function isKnown(reason: string): reason is RefusalReason {
  return Object.hasOwn(REASON_MEANINGS, reason)
}
