#!/usr/bin/env node
// Plain JavaScript on purpose: an older Node must be able to read this file far enough to say what is missing.
const MINIMUM_NODE_MAJOR = 24

if ('bun' in process.versions || Number(process.versions.node.split('.')[0]) >= MINIMUM_NODE_MAJOR) {
  await import('./main.js')
} else {
  process.stderr.write(`chancery needs Node ${MINIMUM_NODE_MAJOR} or newer; this is ${process.version}.\n`)
  process.exitCode = 2
}
