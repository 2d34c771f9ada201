/** The words of the commands that read federation documents. */

import { type Command, Option } from 'commander'
import type { CheckOptions } from './check.ts'
import type { DiffOptions } from './diff.ts'
import { addDocumentOptions } from './document-options.ts'
import type { Terminal } from './exit.ts'
import type { ExplainOptions } from './explain.ts'
import type { ReplayOptions } from './replay.ts'
import { parseEffects } from './replay-report.ts'
import type { UnusedOptions } from './unused.ts'

const CHECK_HELP = `
Examples:
  chancery check federation.json
  chancery check --issuer https://broker.corp.example --json federation.d

Exit codes: 0 it can be used, with warnings or without; 1 it is refused, or one of the directory's documents is; 2 wrong usage.`

const EXPLAIN_HELP = `
It explains one of three: attributes that you write down, a proof, or a request that was recorded.

Examples:
  chancery explain --federation federation.json --attributes '{"kubernetes.namespace":"payments","kubernetes.service_account":"api"}'
  chancery explain --federation federation.json --proof /var/run/secrets/chancery/token
  chancery explain --federation federation.json --audit audit.jsonl --request-id 1f0f7a2e-6a2f-4b56-9a37-0d6a8f9f5b11

Exit codes: 0 a binding decides, and nothing stands against it; 1 none does, or something does, or the document is refused;
2 wrong usage.`

const DIFF_HELP = `
It compares what the documents mean, and not how they are written.

Examples:
  chancery diff federation.json new.json
  chancery diff --exit-code --json federation.d new.d

Exit codes: 0 they were compared; 1 NEW is refused, or nothing of OLD can be used, or with --exit-code something changes;
2 wrong usage.`

const REPLAY_HELP = `
Records hold the attributes that were verified, so that nothing is fetched and nobody is asked.

Examples:
  chancery replay audit.jsonl new.json
  cat audit.jsonl | chancery replay --allow gains,changes - new.json

Exit codes: 0 all goes on as it was, but for what --allow names; 1 something else happens, or the document is refused;
2 wrong usage.`

const UNUSED_HELP = `
What nobody needed may be needed once a year: take records of a time that is long enough.

Examples:
  chancery unused audit.jsonl federation.json
  chancery unused --exit-code --json audit.jsonl.gz federation.json

Exit codes: 0 it was looked for; 1 the document is refused, or with --exit-code something is unused; 2 wrong usage.`

/** Adds `check`, `explain`, `diff`, `replay` and `unused`. */
export function addDocumentCommands(program: Command, terminal: Terminal, result: { code: number }): void {
  addCheck(program, terminal, result)
  addExplain(program, terminal, result)
  addDiff(program, terminal, result)
  addReplay(program, terminal, result)
  addUnused(program, terminal, result)
}

function addCheck(program: Command, terminal: Terminal, result: { code: number }): void {
  addDocumentOptions(
    program.command('check').description('say what is wrong with a federation document: exit 0 if nothing is'),
  )
    .argument('<PATH>', 'a .json or .json.gz file, or a directory of them')
    .option('--json', 'print the findings as JSON')
    .addHelpText('after', CHECK_HELP)
    .action(async (path: string, options: CheckOptions) => {
      const { check } = await import('./check.ts')
      result.code = await check(path, options, terminal)
    })
}

function addExplain(program: Command, terminal: Terminal, result: { code: number }): void {
  addDocumentOptions(program.command('explain').description('say why a workload gets its identity, or gets none'))
    .requiredOption('--federation <PATH>', 'the federation document, or a directory of them')
    .option('--attributes <JSON>', 'explain these attributes, such as {"kubernetes.namespace":"payments"}')
    .option('--trusted-issuer <NAME>', 'whose attributes they are; all of their cloud by default')
    .option('--proof <FILE>', 'explain a proof ("-" for standard input); it is read, not verified')
    .option('--verify', 'verify the proof too, which asks its issuer for keys')
    .option('--audit <FILE>', 'explain a request that this audit trail recorded ("-" for standard input)')
    .option('--request-id <ID>', 'its x-request-id')
    .option('--json', 'print the explanation as JSON')
    .addHelpText('after', EXPLAIN_HELP)
    .action(async (options: ExplainOptions) => {
      const { runExplain } = await import('./explain.ts')
      result.code = await runExplain(options, terminal)
    })
}

function addDiff(program: Command, terminal: Terminal, result: { code: number }): void {
  addDocumentOptions(
    program.command('diff').description('say what a change to the federation does: whom it gives and takes what'),
  )
    .argument('<OLD>', 'a document, or a directory of them')
    .argument('<NEW>', 'the same, after the change')
    .option('--exit-code', 'exit 1 where anything changes')
    .option('--json', 'print the difference as JSON')
    .addHelpText('after', DIFF_HELP)
    .action(async (old: string, next: string, options: DiffOptions) => {
      const { runDiff } = await import('./diff.ts')
      result.code = await runDiff(old, next, options, terminal)
    })
}

function addReplay(program: Command, terminal: Terminal, result: { code: number }): void {
  addDocumentOptions(
    program
      .command('replay')
      .description('decide recorded requests anew: exit 1 where anybody gains, loses or changes'),
  )
    .argument('<AUDIT>', 'audit records: JSON lines, or .gz of them, or "-" for standard input')
    .argument('<NEW>', 'the document to decide by, or a directory of them')
    .addOption(
      new Option('--allow <EFFECTS>', 'exit 0 all the same where only these happen, such as gains,changes')
        .argParser(parseEffects)
        .default([], 'none'),
    )
    .option('--json', 'print the outcome as JSON')
    .addHelpText('after', REPLAY_HELP)
    .action(async (audit: string, next: string, options: ReplayOptions) => {
      const { runReplay } = await import('./replay.ts')
      result.code = await runReplay(audit, next, options, terminal)
    })
}

function addUnused(program: Command, terminal: Terminal, result: { code: number }): void {
  addDocumentOptions(program.command('unused').description('say which parts of a document no recorded request needed'))
    .argument('<AUDIT>', 'audit records: JSON lines, or .gz of them, or "-" for standard input')
    .argument('<PATH>', 'the document, or a directory of them')
    .option('--exit-code', 'exit 1 where anything is unused')
    .option('--json', 'print it as JSON')
    .addHelpText('after', UNUSED_HELP)
    .action(async (audit: string, path: string, options: UnusedOptions) => {
      const { runUnused } = await import('./unused.ts')
      result.code = await runUnused(audit, path, options, terminal)
    })
}
