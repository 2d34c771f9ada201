/** `chancery exec`, as a process, with real programs under it. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CommandScene, claimsOf, openCommandScene, until } from '../support/command-scene.ts'

let scene: CommandScene
let shortLived: CommandScene

beforeAll(async () => {
  scene = await openCommandScene()
  shortLived = await openCommandScene({ lifeSeconds: 3 })
})
afterAll(async () => {
  await scene.close()
  await shortLived.close()
})

/** Gives the arguments that run a shell script under `exec`. */
function sh(script: string, ...options: readonly string[]): readonly string[] {
  return ['exec', ...options, '--', 'sh', '-c', script]
}

function linesOf(file: string): readonly string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : []
}

describe('the token', () => {
  test('is in a variable', async () => {
    const { code, out, err } = await scene.run(sh('printf %s "$CHANCERY_TOKEN"'))

    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(claimsOf(out)).toMatchObject({ aud: 'ledger' })
  })

  test('is in the variable that was named', async () => {
    const { out } = await scene.run(sh('printf %s "$LEDGER"; printf %s "$CHANCERY_TOKEN"', '--env', 'LEDGER'))

    expect(claimsOf(out)).toMatchObject({ aud: 'ledger' })
  })

  test('is on no command line', async () => {
    const { out } = await scene.run(sh('cat /proc/$$/cmdline /proc/$PPID/cmdline; printf "\\n%s" "$CHANCERY_TOKEN"'))
    const [commandLines = '', token = ''] = out.split('\n')

    expect(token).toMatch(/^ey/)
    expect(commandLines).not.toContain(token)
  })

  test('is in a file that its owner alone can read, in a directory that is gone afterwards', async () => {
    const { out } = await scene.run(
      sh(
        'stat -c %a "$CHANCERY_TOKEN_FILE" "$(dirname "$CHANCERY_TOKEN_FILE")"; echo "$CHANCERY_TOKEN_FILE"; cat "$CHANCERY_TOKEN_FILE"',
        '--file',
      ),
    )
    const [mode, directoryMode, file = '', token = ''] = out.split('\n')

    expect([mode, directoryMode]).toEqual(['600', '700'])
    expect(claimsOf(token)).toMatchObject({ aud: 'ledger' })
    expect(existsSync(join(file, '..'))).toBe(false)
  })

  test('is in the file that was named, which stays', async () => {
    const file = join(scene.directory, 'named')
    const { code } = await scene.run(sh('test "$CHANCERY_TOKEN_FILE" = "$1"', '--file', file).concat('sh', file))

    expect(code).toBe(0)
    expect(claimsOf(readFileSync(file, 'utf8'))).toMatchObject({ aud: 'ledger' })
  })

  test('never takes the place of the program, where somebody left "--" out', async () => {
    const program = join(scene.directory, 'server')
    writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 })
    const { code, err } = await scene.run(['exec', '--file', program, 'argument'])

    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('put "--" in front of the command') })
    expect(readFileSync(program, 'utf8')).toBe('#!/bin/sh\n')
  })
})

describe('the program', () => {
  test('gets its own options, and those that look like ours', async () => {
    const { out } = await scene.run(['exec', '--', 'printf', '%s ', '--audience', 'x', '--', '--help'])

    expect(out).toBe('--audience x -- --help ')
  })

  test.each([
    ['its own, where it has ended', 'exit 7', 7],
    ['128 and the number of the signal that ended it', 'kill -9 $$', 137],
  ])('gives its exit code: %s', async (_, script, expected) => {
    expect(await scene.run(sh(script))).toMatchObject({ code: expected })
  })

  test.each([
    ['there is none', '/nowhere/program', 127],
    ['it cannot be run', '/dev/null', 126],
    ['its name is too long', `/${'a'.repeat(5_000)}`, 126],
  ])('has an exit code of ours, and a line that says why, where %s', async (_, program, expected) => {
    const { code, err } = await scene.run(['exec', '--', program])

    expect(code).toBe(expected)
    expect(err).toContain(`${program} cannot be run`)
  })

  test('gets one that comes as soon as it is there', async () => {
    const script = `trap 'exit 42' USR1; kill -USR1 $PPID; while :; do sleep 0.05; done`
    const runs = await Promise.all(Array.from({ length: 4 }, () => scene.run(sh(script))))

    expect(runs.map(({ code }) => code)).toEqual([42, 42, 42, 42])
  })

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const)('gets %s', async (signal) => {
    const ready = join(scene.directory, `ready-${signal}`)
    const name = signal.slice(3)
    const running = scene.start(sh(`trap 'exit 42' ${name}; touch ${ready}; while :; do sleep 0.05; done`))
    await until(() => expect(existsSync(ready)).toBe(true))
    running.child.kill(signal)

    expect(await running.finished).toMatchObject({ code: 42, err: '' })
  })
})

describe.concurrent('without a token', () => {
  test('the program is not started, and the exit code says who can help', async () => {
    const file = join(scene.directory, 'never')
    const refused = await scene.run(sh(`touch ${file}`, '--audience', 'other'))
    const unproven = await scene.run(sh(`touch ${file}`, '--proof-file', '/nowhere/token'))
    const unwritable = await scene.run(sh(`touch ${file}`, '--file', '/nowhere/token'))

    expect([refused.code, unproven.code, unwritable.code]).toEqual([1, 2, 2])
    expect(unwritable.err).toContain('the token’s file cannot be written')
    expect(existsSync(file)).toBe(false)
  })

  test('it waits for a broker that is away, and starts the program when it is back', async () => {
    const elsewhere = await openCommandScene()
    elsewhere.gate.shut()
    const running = elsewhere.start(sh('exit 9'))
    await until(() => expect(running.err()).toContain('no token yet'))
    elsewhere.gate.open()
    const { code } = await running.finished
    await elsewhere.close()

    expect(code).toBe(9)
  })

  test('it waits no longer than it was told to', async () => {
    const elsewhere = await openCommandScene()
    elsewhere.gate.shut()
    const { code, err } = await elsewhere.run(sh('exit 9', '--wait', '0'))
    await elsewhere.close()

    expect(code).toBe(3)
    expect(err).toContain('[broker_unreachable]')
  })

  test.each([
    ['a variable that cannot change', ['--on-renewal', 'update']],
    ['a signal that there is not', ['--file', '--on-renewal', 'signal:SIGNONE']],
    ['a name that no variable has', ['--env', 'A=B']],
    ['a time that is none', ['--wait', 'soon']],
  ])('it refuses %s', async (_, options) => {
    expect(await scene.run(sh('exit 9', ...options))).toMatchObject({ code: 2, out: '' })
  })
})

describe.concurrent('on renewal', () => {
  test('the file has the new token, whole, and the program goes on', async () => {
    const { code, out } = await shortLived.run(
      sh(
        'first=$(cat "$CHANCERY_TOKEN_FILE"); while [ "$(cat "$CHANCERY_TOKEN_FILE")" = "$first" ]; do sleep 0.05; done; cat "$CHANCERY_TOKEN_FILE"',
        '--file',
      ),
    )

    expect(code).toBe(0)
    expect(claimsOf(out)).toMatchObject({ aud: 'ledger' })
  })

  test('a signal says so', async () => {
    const running = shortLived.run(
      sh('trap "exit 42" USR1; while :; do sleep 0.05; done', '--file', '--on-renewal', 'signal:SIGUSR1'),
    )

    expect(await running).toMatchObject({ code: 42 })
  })

  test('the program is started anew with the new token, and a signal to end ends both', async () => {
    const file = join(shortLived.directory, 'starts')
    const running = shortLived.start(
      sh(
        `echo "$CHANCERY_TOKEN" >> ${file}; trap "exit 5" TERM; while :; do sleep 0.05; done`,
        '--on-renewal',
        'restart',
      ),
    )
    await until(() => expect(linesOf(file).length).toBeGreaterThan(1))
    running.child.kill('SIGTERM')

    expect(await running.finished).toMatchObject({ code: 5 })
    expect(new Set(linesOf(file)).size).toBe(linesOf(file).length)
  })

  test('a broker that is away is told of, and the program goes on', async () => {
    const elsewhere = await openCommandScene({ lifeSeconds: 3 })
    const [begun, end] = [join(elsewhere.directory, 'begun'), join(elsewhere.directory, 'end')]
    const running = elsewhere.start(sh(`touch ${begun}; while [ ! -e ${end} ]; do sleep 0.05; done; exit 6`, '--file'))
    await until(() => expect(existsSync(begun)).toBe(true))
    elsewhere.gate.shut()
    await until(() => expect(running.err()).toContain('the token is not renewed'))
    writeFileSync(end, '')
    const { code } = await running.finished
    await elsewhere.close()

    expect(code).toBe(6)
  })
})
