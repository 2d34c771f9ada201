/** What the client's page promises is what the client does. */

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { PROOF_SOURCES } from '../../src/client/find-proof.ts'
import { PROJECTED_TOKEN_PATH } from '../../src/client/proof-file.ts'
import { SDKS } from '../../src/client/prove.ts'
import { TOKEN_SOURCE_ERRORS } from '../../src/client/token-source-error.ts'

const page = readFileSync(new URL('../../src/client/README.md', import.meta.url), 'utf8')

/** Gives the cells of the table whose first column has this title. */
function rowsOf(title: string): readonly (readonly string[])[] {
  const [, table = ''] = page.split(`| ${title} | `)
  const [, , ...lines] = (table.split('\n\n')[0] ?? '').trimEnd().split('\n')
  return lines.map((line) => line.slice(2, -2).split(' | '))
}

test('its table of errors is the list of codes, with what each says to do', () => {
  const codes = Object.entries(TOKEN_SOURCE_ERRORS).map(([code, { kind, advice }]) => [`\`${code}\``, kind, advice])

  expect(rowsOf('Code')).toEqual(codes)
})

test('its table of sources is the order in which they are asked', () => {
  expect(rowsOf('Source').map(([source]) => source)).toEqual(PROOF_SOURCES.map((source) => `\`${source}\``))
  expect(page).toContain(`\`${PROJECTED_TOKEN_PATH}\``)
})

test('its table of packages is what the provers load', () => {
  expect(rowsOf('Platform')).toEqual(Object.entries(SDKS).map(([platform, name]) => [`\`${platform}\``, `\`${name}\``]))
})
