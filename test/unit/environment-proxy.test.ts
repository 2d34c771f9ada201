/** Which requests the environment would send through a proxy. */

import { expect, test } from 'vitest'
import { proxyForHttp } from '../../src/client/environment-proxy.ts'

const PROXY = 'http://proxy.example:3128'
const NODE = { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: PROXY }

test.each([
  ['http://127.0.0.1:8080', NODE],
  ['http://localhost', { NODE_USE_ENV_PROXY: '1', http_proxy: PROXY }],
  ['http://[::1]:8080', { NODE_OPTIONS: '--no-warnings --use-env-proxy', HTTP_PROXY: PROXY }],
  ['http://127.0.0.1:8080', { ...NODE, NO_PROXY: 'localhost,127.0.0.2 127.0.0.1:8081' }],
  ['http://127.0.0.1', { ...NODE, no_proxy: 'localhost', NO_PROXY: '127.0.0.1' }],
])('%s goes through one with %j', (url, environment) => {
  expect(proxyForHttp(new URL(url), environment)).toBe(PROXY)
})

test.each([
  ['http://127.0.0.1:8080', {}],
  ['http://127.0.0.1:8080', { HTTP_PROXY: PROXY }],
  ['http://127.0.0.1:8080', { NODE_USE_ENV_PROXY: '1', HTTPS_PROXY: PROXY }],
  ['http://127.0.0.1:8080', { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: '' }],
  ['http://127.0.0.1:8080', { ...NODE, NO_PROXY: '*' }],
  ['http://127.0.0.1:8080', { ...NODE, NO_PROXY: 'a.example, 127.0.0.1' }],
  ['http://127.0.0.1:8080', { ...NODE, NO_PROXY: '127.0.0.1:8080' }],
  ['http://localhost', { ...NODE, no_proxy: 'LOCALHOST' }],
  ['http://[::1]:8080', { ...NODE, NO_PROXY: '::1' }],
  ['http://[::1]', { ...NODE, NO_PROXY: '[::1]:80' }],
])('%s goes through none with %j', (url, environment) => {
  expect(proxyForHttp(new URL(url), environment)).toBeUndefined()
})
