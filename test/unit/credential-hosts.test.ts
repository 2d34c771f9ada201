/** Which hosts get a token. */

import { expect, test } from 'vitest'
import { findHost, parseHosts } from '../../src/cli/credential/hosts.ts'
import { usernameOf } from '../../src/cli/credential-options.ts'
import { problemsOf } from '../support/rejection.ts'

const found = (entries: readonly string[], asked: string): string | undefined =>
  findHost(parseHosts(entries), asked)?.host

test('a host is compared as a whole, with its port, and without regard to case', () => {
  const hosts = ['git.example', 'Registry.Example:5000', '[::1]:8443', '127.0.0.1:9']

  expect(hosts.map((host) => found(hosts, host))).toEqual(hosts.map((host) => host.toLowerCase()))
  expect(found(hosts, 'GIT.example')).toBe('git.example')
  for (const other of [
    'registry.example',
    'registry.example:5001',
    'git.example:80',
    'git.example.evil.example',
    'evil-git.example',
    'evil.example/git.example',
    'git.example@evil.example',
    'evil.example#git.example',
    'git.example.',
    'git%2eexample',
    ' git.example',
    '',
  ]) {
    expect(found(hosts, other), other).toBeUndefined()
  }
})

test('port 443 is the port of https, said or not', () => {
  expect(found(['git.example:443'], 'git.example')).toBe('git.example')
  expect(found(['git.example'], 'git.example:443')).toBe('git.example')
})

test('each host has the audience that is named for it', () => {
  const hosts = parseHosts(['git.example=git', 'registry.example=https://registry.example/a=b', 'other.example'])

  expect(hosts.map(({ audience }) => audience)).toEqual(['git', 'https://registry.example/a=b', undefined])
})

test.each([
  ['nothing', []],
  ['a URL', ['https://git.example']],
  ['a path', ['git.example/team']],
  ['a pattern', ['*.example']],
  ['a user', ['user@git.example']],
  ['a name with an empty audience', ['git.example=']],
  ['an audience for nobody', ['=git']],
  ['a port that is none', ['git.example:https']],
  ['a host twice', ['git.example=git', 'GIT.example:443=other']],
])('refuses %s', (_, entries) => {
  expect(problemsOf(() => parseHosts(entries))).toMatchObject([{ code: 'helper_setup' }])
})

test('a user name is one line, wherever it is from', () => {
  const injected = 'me\nhost=elsewhere.example'

  expect(usernameOf({}, 'oauth2', {})).toBe('oauth2')
  expect(() => usernameOf({ username: injected }, 'oauth2', {})).toThrow('control character')
  expect(() => usernameOf({}, 'oauth2', { CHANCERY_CREDENTIAL_USERNAME: injected })).toThrow('control character')
})
