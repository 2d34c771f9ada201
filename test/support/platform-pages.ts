/** The pages that say, for each platform, what to apply, what to write and what goes wrong. */

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const CLOUDS = ['kubernetes', 'aws', 'gcp', 'azure']

export interface PlatformPage {
  readonly path: string
  readonly text: string
  /** Blocks of code by their language, in order. */
  readonly blocks: (language: string) => readonly string[]
  /** The part of a federation document that the page is about. */
  readonly federation: Readonly<Record<string, object>>
  /** What stands between backticks in the table of what goes wrong. */
  readonly told: readonly string[]
}

/** Reads every page. */
export function readPlatformPages(): readonly PlatformPage[] {
  return CLOUDS.flatMap((cloud) => {
    const folder = `providers/${cloud}/platforms`
    return readdirSync(ROOT + folder).map((name) => readPage(`${folder}/${name}`))
  })
}

function readPage(path: string): PlatformPage {
  const text = readFileSync(ROOT + path, 'utf8')
  const [, federation = ''] = /<!-- federation -->\n```json\n([\s\S]*?)```/.exec(text) ?? []
  const [, troubles = ''] = text.split('## What goes wrong')
  return {
    path,
    text,
    blocks: (language) =>
      [...text.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, body = '']) => body),
    federation: JSON.parse(federation) as Readonly<Record<string, object>>,
    told: [...troubles.matchAll(/`([^`]+)`/g)].map(([, told = '']) => told),
  }
}

/** Gives a whole document around a page's part of one. */
export function documentAround({ federation }: PlatformPage): object {
  const identities = [...JSON.stringify(federation.bindings).matchAll(/"identity":"([^"]+)"/g)].map(([, name]) => name)
  return {
    version: 1,
    trust_domain: 'corp.example',
    proof_audiences: ['https://broker.corp.example'],
    audiences: { ledger: { scopes: ['entries:read'] } },
    identities: Object.fromEntries(identities.map((name) => [name, { grants: { ledger: ['entries:read'] } }])),
    ...federation,
  }
}
