/** What a prover can be told stands in the help and on the page of the clouds, as the provers have it. */

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { ProverPorts } from '../../providers/contract/provider.ts'
import { provers } from '../../providers/provers.ts'
import { readHelpPages } from '../support/help-examples.ts'

const FOLDER = new URL('../../providers/', import.meta.url)
const NO_PORTS: ProverPorts = { env: {}, readFile: () => Promise.reject(new Error('no file')), now: () => 0 }

/** Gives the settings of every prover as its source has them, and sees that it knows them. */
function settingsOfProvers(): readonly (readonly [string, readonly string[]])[] {
  return provers.map(({ name, createProver }) => {
    const source = readFileSync(new URL(`${name}/prover.ts`, FOLDER), 'utf8')
    const [, members = ''] = /settingsSchema = z\.strictObject\(\{([\s\S]*?)\}\)\n/.exec(source) ?? []
    const settings = [...members.matchAll(/^ *(\w+): z\b/gm)].map(([, setting = '']) => setting)
    for (const setting of settings) expect(() => createProver({ [setting]: 0 }, NO_PORTS)).not.toThrow('Unrecognized')
    expect(() => createProver({ [`${settings[0]}_`]: 'a' }, NO_PORTS)).toThrow('Unrecognized')
    return [name, settings]
  })
}

test('help names the settings of each platform, and no other', async () => {
  const pages = await readHelpPages()
  const { text = '' } = pages.find(({ path }) => path === 'token') ?? {}
  const [, block = ''] = /What --prover-setting can set, by platform:\n((?: {2}.*\n)+)/.exec(text) ?? []
  const told = block
    .trimEnd()
    .split('\n')
    .map((line) => line.replaceAll(/ \([^)]*\)/g, '').match(/\w+/g) ?? [])
    .map(([name = '', ...settings]) => [name, settings])

  expect(Object.fromEntries(told)).toEqual(Object.fromEntries(settingsOfProvers()))
})

test('the page of the clouds has a row for each', () => {
  const page = readFileSync(new URL('README.md', FOLDER), 'utf8')
  const told = new Map<string, string[]>()
  for (const [, cell = '', setting = ''] of page.matchAll(/^\| (`\w+` )?\| `(\w+)` \|/gm)) {
    const name = cell === '' ? ([...told.keys()].at(-1) ?? '') : cell.slice(1, -2)
    told.set(name, [...(told.get(name) ?? []), setting])
  }

  expect(Object.fromEntries(told)).toEqual(Object.fromEntries(settingsOfProvers()))
})
