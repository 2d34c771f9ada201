/** What Git's helper reads and writes. */

import { describe, expect, test } from 'vitest'
import { answerGit, type GitHelper, type GitRequest, parseGitRequest } from '../../src/cli/credential/git.ts'
import { parseHosts } from '../../src/cli/credential/hosts.ts'
import { recordedObtain } from '../support/helper-outcomes.ts'
import { problemsOf } from '../support/rejection.ts'

const REQUEST: GitRequest = { protocol: 'https', host: 'git.example', username: undefined, capabilities: [] }

function helper(more: Partial<GitHelper> = {}): GitHelper {
  const hosts = parseHosts(['git.example=git', 'other.example'])
  return { hosts, authorization: 'basic', username: 'oauth2', obtain: recordedObtain().obtain, ...more }
}

describe('a request', () => {
  test('is lines up to the first empty one, with values that hold more signs of equality', () => {
    const text =
      'capability[]=authtype\ncapability[]=state\nprotocol=https\nhost=git.example:8443\npath=a=b\nwwwauth[]=Basic realm="x"\n\nhost=evil.example\n'

    expect(parseGitRequest(text)).toEqual({
      protocol: 'https',
      host: 'git.example:8443',
      username: undefined,
      capabilities: ['authtype', 'state'],
    })
  })

  test.each([
    ['a host that is named twice', 'protocol=https\nhost=evil.example\nhost=git.example\n'],
    ['a protocol that is named twice', 'protocol=http\nprotocol=https\nhost=git.example\n'],
    [
      'a carriage return, which some would take for the end of a line',
      'protocol=https\nhost=evil.example\rhost=git.example\n',
    ],
    ['a NUL', 'protocol=https\nhost=git.example\0.evil.example\n'],
    ['a line that is no pair', 'protocol=https\nhost\n'],
    ['a line without a name', '=https\n'],
  ])('is refused with %s', (_, text) => {
    expect(problemsOf(() => parseGitRequest(text))).toMatchObject([{ code: 'helper_setup' }])
  })
})

describe('an answer', () => {
  test('has the token for a password, the user name that Git knows, and an end', async () => {
    const { ending, out, err } = await answerGit({ ...REQUEST, username: 'alice' }, helper())

    expect({ ending, err }).toEqual({ ending: 'done', err: undefined })
    expect(out).toBe('username=alice\npassword=token-for-git\npassword_expiry_utc=1768479300\n')
    expect((await answerGit(REQUEST, helper())).out).toMatch(/^username=oauth2\n/)
  })

  test('is a Bearer header that is stored nowhere, for a Git that says it can', async () => {
    const bearer = helper({ authorization: 'bearer' })

    const { out } = await answerGit({ ...REQUEST, capabilities: ['authtype'] }, bearer)

    expect(out).toBe(
      'capability[]=authtype\nauthtype=Bearer\ncredential=token-for-git\nephemeral=1\npassword_expiry_utc=1768479300\n',
    )
    const old = await answerGit({ ...REQUEST, capabilities: ['state'] }, bearer)
    expect(old).toMatchObject({ ending: 'wrong', out: 'quit=1\n', err: expect.stringContaining('2.46') as string })
  })

  test('is nothing for another host, or over http, and no token is asked for', async () => {
    const { obtain, audiences } = recordedObtain()
    const asked = helper({ obtain })

    expect(await answerGit({ ...REQUEST, host: 'evil.example' }, asked)).toEqual({ ending: 'done' })
    expect(await answerGit({ ...REQUEST, host: undefined }, asked)).toEqual({ ending: 'done' })
    for (const protocol of ['http', 'HTTPS', 'ssh', undefined]) {
      const { ending, out } = await answerGit({ ...REQUEST, protocol }, asked)
      expect({ ending, out }, protocol).toEqual({ ending: 'done', out: undefined })
    }
    expect(audiences).toEqual([])
  })

  test('asks for the audience of the host, and for none where it has none of its own', async () => {
    const { obtain, audiences } = recordedObtain()

    await answerGit(REQUEST, helper({ obtain }))
    await answerGit({ ...REQUEST, host: 'other.example' }, helper({ obtain }))

    expect(audiences).toEqual(['git', undefined])
  })

  test('makes Git stop where there is no token', async () => {
    const { obtain } = recordedObtain('later')

    expect(await answerGit(REQUEST, helper({ obtain }))).toEqual({
      ending: 'later',
      out: 'quit=1\n',
      err: 'chancery: there is none\n',
    })
  })
})
