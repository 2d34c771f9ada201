/**
 * The operator's log: JSON lines on standard error. No proof, token, key or credential is ever in it, and of what an unverified
 * caller sent only the short, plain facts that a refusal names.
 */

import { type DestinationStream, type Logger, pino } from 'pino'

export type Log = Logger

/** Creates the log. Its lines have a level by name and a time that people can read. */
export function createLog(destination: DestinationStream): Log {
  return pino(
    {
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // Belt and braces: nothing logs these, and if something ever did they would not be seen.
      redact: ['subject_token', 'access_token', 'proof', 'token', 'authorization'],
    },
    destination,
  )
}

/** Gives what may be told of an unexpected error: its kind and where it arose. A message may quote what a caller sent. */
export function describeBug(error: unknown): { error: string; at: readonly string[] } {
  if (!(error instanceof Error)) return { error: typeof error, at: [] }
  const { stack = '', message } = error
  // The message stands before the frames, and may hold lines that look like one.
  const start = stack.indexOf(message) + message.length
  const frames = stack.includes(message) ? stack.slice(start).split('\n') : []
  return { error: error.name, at: frames.map((line) => line.trim()).filter((line) => line.startsWith('at ')) }
}
