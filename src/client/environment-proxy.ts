/** The proxy that `fetch` goes through unasked, by the word of the environment. */

import type { Environment } from './environment.ts'

/**
 * Gives the proxy that this runtime's `fetch` sends a request of plain http through; undefined for none. Bun always does what the
 * variables say, Node where it is told to.
 *
 * @see {@link https://nodejs.org/api/http.html#built-in-proxy-support Node on its proxy support}
 */
export function proxyForHttp({ hostname, port }: URL, environment: Environment): string | undefined {
  const proxy = environment.http_proxy || environment.HTTP_PROXY || undefined
  if (proxy === undefined || !heedsProxies(environment)) return undefined
  const spared = (environment.no_proxy || environment.NO_PROXY || '').toLowerCase().split(/[\s,]+/)
  const own = [hostname, hostname.replace(/^\[|\]$/g, '')].flatMap((name) => [name, `${name}:${port || '80'}`])
  return ['*', ...own].some((name) => spared.includes(name)) ? undefined : proxy
}

function heedsProxies({ NODE_USE_ENV_PROXY, NODE_OPTIONS = '' }: Environment): boolean {
  const options = [...process.execArgv, ...NODE_OPTIONS.split(/\s+/)]
  return 'bun' in process.versions || NODE_USE_ENV_PROXY === '1' || options.includes('--use-env-proxy')
}
