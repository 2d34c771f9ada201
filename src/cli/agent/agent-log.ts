/** What an agent tells its operator: a line for each thing that happens, and never a proof or a token. */

export const LOG_FORMATS = ['text', 'json'] as const

export type LogFormat = (typeof LOG_FORMATS)[number]

/** What may be told beside the sentence. */
export type LogFacts = Readonly<Record<string, string | number | boolean | undefined>>

export interface AgentLog {
  info(message: string, facts?: LogFacts): void
  warn(message: string, facts?: LogFacts): void
  error(message: string, facts?: LogFacts): void
}

/** Creates a log of lines for people, or of JSON. `now` is in milliseconds since the epoch. */
export function createAgentLog(format: LogFormat, write: (line: string) => void, now: () => number): AgentLog {
  const tell = (level: string, message: string, facts: LogFacts = {}): void => {
    const time = new Date(now()).toISOString()
    if (format === 'json') write(`${JSON.stringify({ time, level, message, ...facts })}\n`)
    else write(`${time} ${level} ${message}${factsOf(facts)}\n`)
  }
  return {
    info: (message, facts) => tell('info', message, facts),
    warn: (message, facts) => tell('warn', message, facts),
    error: (message, facts) => tell('error', message, facts),
  }
}

function factsOf(facts: LogFacts): string {
  return Object.entries(facts)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${plain(String(value))}`)
    .join('')
}

/** A value that could be taken for more than one is put in quotes, its control characters escaped. */
function plain(value: string): string {
  return /^[\w./:@%+,-]+$/.test(value) ? value : JSON.stringify(value)
}
