/** `chancery completion`, in the shells themselves where they are there. */

import { expect, test } from 'vitest'
import { hasTool } from '../support/found-tool.ts'
import { runChancery } from '../support/process.ts'
import { runWithInput } from '../support/run-with-input.ts'

/** Gives what bash offers at the end of a command line; its last word is what is being typed. */
async function offered(script: string, line: string): Promise<readonly string[]> {
  const ask = `${script}
COMP_WORDS=(${line
    .split(' ')
    .map((word) => `'${word}'`)
    .join(' ')})
COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
_chancery
printf '%s\\n' "\${COMPREPLY[@]}"`
  const { out, err, code } = await runWithInput(['bash', '--norc', '-eu', '-c', ask])
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return out.split('\n').filter((word) => word !== '')
}

test('bash offers every command that there is, and at each what it takes', async () => {
  const { code, out: script, err } = await runChancery(['completion', 'bash'])
  expect({ code, err }).toEqual({ code: 0, err: '' })
  const help = (await runChancery(['--help'])).out
  const [, list = ''] = help.split('\nCommands:\n')
  const commands = [...(list.split('\n\n')[0] ?? '').matchAll(/^ {2}([a-z-]+) /gm)].map(([, name]) => name)

  expect(commands).toContain('completion')
  expect(await offered(script, 'chancery ')).toEqual(expect.arrayContaining(commands))
  expect(await offered(script, 'chancery ser')).toEqual(['serve'])
  expect(await offered(script, 'chancery credential ')).toEqual(
    expect.arrayContaining(['aws', 'kubectl', 'git', 'docker', 'gcp', 'terraform']),
  )
  expect(await offered(script, 'chancery credential aws --role')).toEqual(['--role-arn'])
  expect(await offered(script, 'chancery credential --help aws --ses')).toEqual(['--session-name'])
  expect(await offered(script, 'chancery completion ')).toEqual(expect.arrayContaining(['bash', 'zsh', 'fish']))
})

test('bash offers the values of an option that takes few, and leaves others and what follows -- to itself', async () => {
  const { out: script } = await runChancery(['completion', 'bash'])

  expect(await offered(script, 'chancery token --format ')).toEqual(['raw', 'json', 'header'])
  expect(await offered(script, 'chancery token --format = j')).toEqual(['json'])
  expect(await offered(script, 'chancery credential git --authorization =')).toEqual(['basic', 'bearer'])
  expect(await offered(script, 'chancery token --proof-file ')).toEqual([])
  expect(await offered(script, 'chancery exec -- ')).toEqual([])
  expect(script).toMatch(/^complete -o default -F _chancery chancery$/m)
})

test('bash completes with the script that it sources, as a person does', async () => {
  const { out: script } = await runChancery(['completion', 'bash'])

  const { out } = await runWithInput(['bash', '--norc', '-c', `${script}\ncomplete -p chancery`])

  expect(out.trim()).toBe('complete -o default -F _chancery chancery')
})

test.skipIf(!hasTool('zsh', 'completion for zsh'))(
  'zsh reads the script, and has a function for the command',
  async () => {
    const { out: script } = await runChancery(['completion', 'zsh'])
    const ask = `autoload -Uz compinit; compinit -D; ${script}\nprint -r -- $_comps[chancery]`

    const { code, out, err } = await runWithInput(['zsh', '-f', '-c', ask])

    expect({ code, out, err }).toEqual({ code: 0, out: '_chancery\n', err: '' })
  },
)

test.skipIf(!hasTool('fish', 'completion for fish'))('fish reads the script, and offers what there is', async () => {
  const { out: script } = await runChancery(['completion', 'fish'])

  const { code, out } = await runWithInput([
    'fish',
    '--no-config',
    '-c',
    `${script}\ncomplete -C 'chancery credential a'`,
  ])

  expect(code).toBe(0)
  expect(out).toMatch(/^aws\t/)
})

test('zsh and fish are told of the same commands as bash', async () => {
  const [bash, zsh, fish] = await Promise.all(
    ['bash', 'zsh', 'fish'].map(async (shell) => (await runChancery(['completion', shell])).out),
  )
  const steps =
    bash
      ?.split('\n')
      .find((line) => line.includes("' serve'"))
      ?.match(/'[^']+'/g) ?? []

  expect(steps.length).toBeGreaterThan(20)
  for (const step of steps) {
    expect(zsh).toContain(step)
    expect(fish).toContain(step)
  }
})

test('knows no other shell', async () => {
  const { code, out, err } = await runChancery(['completion', 'powershell'])

  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toContain('bash, zsh, fish')
})
