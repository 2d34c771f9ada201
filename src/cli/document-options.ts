/** What every command that reads a federation document takes. */

import { statSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { verifiers } from '../../providers/verifiers.ts'
import { parseInsecureHost, parseIssuer } from '../config-values.ts'
import type { ValidationContext } from '../federation/validate.ts'
import { UsageError } from './exit.ts'

/** The options as commander gives them. */
export interface DocumentOptions {
  readonly insecureHost: readonly string[]
  readonly secretsDir?: string
  readonly issuer?: string
}

/** Adds `--insecure-host`, `--secrets-dir` and `--issuer`. */
export function addDocumentOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--insecure-host <HOST:PORT>', 'may be plain http or private, as for serve; may be repeated')
        .argParser((text: string, before: readonly string[]) => [
          ...before,
          ...text.split(',').map((host) => attempt('--insecure-host', () => parseInsecureHost(host.trim()))),
        ])
        .default([], 'none'),
    )
    .option('--secrets-dir <DIR>', 'check that the files which the document names are in this directory')
    .addOption(
      new Option('--issuer <URL>', 'the broker’s issuer: the proof audience where the document names none').argParser(
        (text: string) => attempt('--issuer', () => parseIssuer(text, true)),
      ),
    )
}

/** Gives what documents are checked against. Throws {@link UsageError} where the directory is not one. */
export function contextOf(options: DocumentOptions): ValidationContext {
  const { secretsDir } = options
  if (secretsDir !== undefined && !statSync(secretsDir, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UsageError(`--secrets-dir: "${secretsDir}" is not a directory`)
  }
  return { providers: verifiers, insecureHosts: new Set(options.insecureHost), brokerIssuer: options.issuer }
}

function attempt<T>(flag: string, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw new UsageError(`${flag}: ${error instanceof Error ? error.message : 'cannot be used'}`)
  }
}
