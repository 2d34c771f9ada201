/** `chancery explain`: why a workload was given its identity, or was refused. */

import { existsSync } from 'node:fs'
import type { ProofVerifier } from '../../providers/contract/provider.ts'
import type { Explanation } from '../federation/explain.ts'
import { type Federation, readFederation } from '../federation/federation.ts'
import { locateDocuments } from '../federation/locate.ts'
import { contextOf, type DocumentOptions } from './document-options.ts'
import { EXIT, type Terminal, UsageError } from './exit.ts'
import { type Account, accountOfAttributes, accountOfProof, accountOfRecord } from './explain-account.ts'
import { tellAccount } from './explain-text.ts'
import { tellRefused } from './finding-text.ts'
import { createSecretReader } from './secrets.ts'
import { createVerifierFactory } from './verifier-ports.ts'
import { type Clock, systemClock, systemResolver } from './world.ts'

export interface ExplainOptions extends DocumentOptions {
  readonly federation: string
  readonly attributes?: string
  readonly trustedIssuer?: string
  readonly proof?: string
  readonly verify?: boolean
  readonly audit?: string
  readonly requestId?: string
  readonly json?: boolean
}

/** Explains, and gives the exit code: 0 where a binding decides and nothing stands against it, else 1. */
export async function runExplain(
  options: ExplainOptions,
  terminal: Terminal,
  clock: Clock = systemClock,
): Promise<number> {
  const federation = await load(options, terminal)
  if (federation === undefined) return EXIT.refused
  const account = await accountFor(options, federation, clock)
  terminal.out(options.json === true ? `${JSON.stringify(account, null, 2)}\n` : tellAccount(account))
  return account.trouble === null && account.explanations.some(isGiven) ? EXIT.done : EXIT.refused
}

function isGiven({ binding, obstacle, issuer_suspended: isSuspended }: Explanation): boolean {
  return binding !== null && obstacle === null && !isSuspended
}

async function load(options: ExplainOptions, terminal: Terminal): Promise<Federation | undefined> {
  const path = options.federation
  if (!existsSync(path)) throw new UsageError(`--federation: ${path} does not exist`)
  const { findings, federation } = readFederation(await locateDocuments(path), contextOf(options))
  for (const finding of findings) {
    if (finding.severity === 'error') terminal.err(tellRefused(finding.file, finding, path))
  }
  return federation
}

async function accountFor(options: ExplainOptions, federation: Federation, clock: Clock): Promise<Account> {
  const { attributes, proof, audit, requestId, verify } = options
  const given = [attributes, proof, audit].filter((way) => way !== undefined)
  if (given.length !== 1) throw new UsageError('give one of --attributes, --proof, or --audit with --request-id')
  if (attributes !== undefined) return accountOfAttributes(attributes, options.trustedIssuer, federation)
  if (proof !== undefined)
    return accountOfProof(proof, verify === true, createVerifiers(options, federation, clock), federation)
  if (audit === undefined || requestId === undefined) throw new UsageError('--audit goes with --request-id')
  return accountOfRecord(audit, requestId, federation)
}

function createVerifiers(options: ExplainOptions, federation: Federation, clock: Clock): readonly ProofVerifier[] {
  const { insecureHosts, brokerIssuer = '' } = contextOf(options)
  const create = createVerifierFactory({
    egress: { insecureHosts, proxy: undefined, resolve: systemResolver },
    now: clock,
    readFile: createSecretReader(options.secretsDir ?? '/run/secrets/chancery'),
    brokerIssuer,
    // Explaining spends nothing, and a proof that was spent can be explained all the same.
    isSpent: async () => false,
    observe: () => undefined,
  })
  return create(federation).verifiers
}
