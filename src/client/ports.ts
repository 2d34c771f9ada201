/** The real world, for whoever brings no other. */

import { askBroker } from './ask-broker.ts'
import { processEnvironment } from './environment.ts'
import { proxyForHttp } from './environment-proxy.ts'
import type { BrokerAnswer, BrokerRequest, ClientPorts, TokenSourceSettings } from './settings.ts'
import { readSmallFile } from './small-file.ts'
import { TokenSourceError } from './token-source-error.ts'

/** The link-local address at which three clouds have their metadata services. */
const METADATA_ORIGIN = 'http://169.254.169.254'

/** Gives the world that the settings bring, and the real one for the rest. */
export function readPorts(settings: TokenSourceSettings): ClientPorts {
  return {
    fetch: settings.fetch ?? fetchPrivately,
    askBroker: settings.askBroker ?? (settings.fetch === undefined ? ask : askBy(settings.fetch)),
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

/** Plain http is for this machine alone, and what goes through a proxy leaves it. */
function isProxied(url: URL): boolean {
  return url.protocol === 'http:' && proxyForHttp(url, processEnvironment()) !== undefined
}

async function fetchPrivately(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const url = new URL(input instanceof Request ? input.url : input)
  if (isProxied(url)) {
    throw new TokenSourceError('destination_insecure', `a token is not sent to ${url.origin} through a proxy`, {
      advice: `name ${url.hostname} in NO_PROXY`,
    })
  }
  return await fetch(input, init)
}

function plainFetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  return fetch(input, init)
}

function askBy(fetching: ClientPorts['fetch']): ClientPorts['askBroker'] {
  return (endpoint, request) => fetching(endpoint, { ...request, method: 'POST', redirect: 'manual' })
}

function ask(endpoint: string, request: BrokerRequest): Promise<BrokerAnswer> {
  return isProxied(new URL(endpoint)) ? askBroker(endpoint, request) : askBy(plainFetch)(endpoint, request)
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
