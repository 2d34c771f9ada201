/** The real world, for whoever brings no other. */

import { processEnvironment } from './environment.ts'
import type { ClientPorts, TokenSourceSettings } from './settings.ts'
import { readSmallFile } from './small-file.ts'

/** The link-local address at which three clouds have their metadata services. */
const METADATA_ORIGIN = 'http://169.254.169.254'

/** Gives the world that the settings bring, and the real one for the rest. */
export function readPorts(settings: TokenSourceSettings): ClientPorts {
  const fetching = settings.fetch ?? ((input, init) => fetch(input, init))
  return {
    fetch: fetching,
    askBroker:
      settings.askBroker ??
      ((endpoint, request) => fetching(endpoint, { ...request, method: 'POST', redirect: 'manual' })),
    now: settings.now ?? (() => Math.floor(Date.now() / 1_000)),
    elapsed: settings.elapsed ?? (() => performance.now() / 1_000),
    random: settings.random ?? Math.random,
    environment: settings.environment ?? processEnvironment(),
    readFile: settings.readFile ?? readSmallFile,
    wait: settings.wait ?? waitUnheld,
    deadline: settings.deadline ?? ((seconds) => AbortSignal.timeout(seconds * 1_000)),
    metadataOrigin: settings.metadataOrigin ?? METADATA_ORIGIN,
  }
}

function waitUnheld(seconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop)
      resolve()
    }, seconds * 1_000)
    timer.unref()
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
}
