#!/usr/bin/env node
// Plain JavaScript on purpose: it runs on whatever Node the machine has, and hands over to the one that the lockfile brought.
import { spawn } from 'node:child_process'
import module from 'node:module'
import { constants } from 'node:os'
import { isatty } from 'node:tty'
import { fileURLToPath } from 'node:url'
import { findBundledNode, isNodeRecent, NODE_TOO_OLD } from './node-version.mjs'

if (isNodeRecent()) {
  // What is stripped of its types once is kept beside the dependencies, where nobody can write who cannot write to them: it makes a
  // short command three times as fast, and an agent a third smaller.
  module.enableCompileCache?.(fileURLToPath(new URL('../node_modules/.cache/chancery', import.meta.url)))
  await import('./main.ts')
} else {
  handOver(findBundledNode())
}

/** Runs the command under another Node, passes signals on and ends as it ended. */
function handOver(node) {
  if (node === undefined) {
    process.stderr.write(NODE_TOO_OLD)
    process.exitCode = 2
    return
  }
  // The name that it was called by goes with it: some consumers have one of their own for the command.
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' })
  // A terminal sends these to everybody in the foreground, so that the command has them already.
  const fromTerminal = [0, 1, 2].some((descriptor) => isatty(descriptor)) ? ['SIGINT', 'SIGQUIT'] : []
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2']) {
    process.on(signal, () => fromTerminal.includes(signal) || child.kill(signal))
  }
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0)
  })
}
