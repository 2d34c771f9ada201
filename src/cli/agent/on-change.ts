/** Tells whoever uses a file that it has a new token. */

import { spawn } from 'node:child_process'
import { processEnvironment } from '../../client/environment.ts'
import { readSmallFile } from '../../client/small-file.ts'
import type { OnChange } from './config.ts'

/** How long a command may take, in milliseconds. Then it is killed. */
const COMMAND_MS = 30_000

/** Sends the signal, or runs the command and waits for it. Rejects with what went wrong, for the log: the file is written either way. */
export async function tellOfChange(onChange: OnChange, file: string): Promise<void> {
  if (onChange.kind === 'command') return await run(onChange.command, file)
  process.kill(await readPid(onChange.pidFile), onChange.signal)
}

/** The command learns of the file by a variable. What it prints goes to standard error, as the agent's own lines do. */
function run([program = '', ...args]: readonly string[], file: string): Promise<void> {
  const env = { ...processEnvironment(), CHANCERY_TOKEN_FILE: file }
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: ['ignore', 2, 2], timeout: COMMAND_MS, killSignal: 'SIGKILL' })
    // An agent that is told to end does not wait for it, and does not take it along.
    child.unref()
    child.once('error', (error) => reject(new Error(`${program} cannot be run: ${error.message}`)))
    child.once('exit', (code, signal) => {
      if (code === 0) resolve()
      else reject(new Error(`${program} ended with ${code ?? signal}`))
    })
  })
}

/** A negative number is a process group, 0 our own, and 1 everybody's parent: none of them is whoever uses the file. */
async function readPid(path: string): Promise<number> {
  const text = (await readSmallFile(path)).trim()
  const pid = /^\d{1,10}$/.test(text) ? Number(text) : 0
  if (pid < 2) throw new Error(`${path} holds no process id`)
  return pid
}
