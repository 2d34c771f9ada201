/** Links between pages: each leads somewhere, and from the first page every other can be reached. */

import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../..')
const NOT_OURS = ['.git', 'dist', 'node_modules']
const PAGES = globSync('**/*.md', { cwd: ROOT, exclude: (path) => NOT_OURS.includes(basename(path)) }).toSorted()

test.each(PAGES)('every relative link of %s leads to a file that is there, and to a heading in it', (page) => {
  const wrong = linksOf(page).filter((link) => !leadsSomewhere(page, link))

  expect(wrong).toEqual([])
})

test('no page is beyond the reach of README.md', () => {
  const reached = new Set<string>()
  for (const waiting = ['README.md']; waiting.length > 0; ) {
    const page = waiting.pop() ?? ''
    if (reached.has(page)) continue
    reached.add(page)
    waiting.push(...linksOf(page).flatMap((link) => pagesAt(page, link)))
  }

  expect(PAGES.filter((page) => !reached.has(page))).toEqual([])
})

function linksOf(page: string): readonly string[] {
  const links = proseOf(page).matchAll(/\]\(([^()\s]+)\)/g)
  return [...links].map(([, link]) => link ?? '').filter((link) => !/^[a-z][a-z0-9+.-]*:/.test(link))
}

function leadsSomewhere(page: string, link: string): boolean {
  const { path, anchor } = targetOf(page, link)
  if (!path.startsWith(ROOT) || !existsSync(path)) return false
  return anchor === undefined || (path.endsWith('.md') && anchorsOf(relative(ROOT, path)).has(anchor))
}

/** The page that a link leads to; of a folder, the one that is shown there, or those of the folders in it. */
function pagesAt(page: string, link: string): readonly string[] {
  const { path } = targetOf(page, link)
  const at = relative(ROOT, path)
  if (!statSync(path).isDirectory()) return PAGES.includes(at) ? [at] : []
  const own = join(at, 'README.md')
  return PAGES.includes(own) ? [own] : PAGES.filter((other) => dirname(dirname(other)) === at)
}

function targetOf(page: string, link: string): { readonly path: string; readonly anchor: string | undefined } {
  const [path = '', anchor] = link.split('#')
  return { path: path === '' ? join(ROOT, page) : resolve(ROOT, dirname(page), decodeURIComponent(path)), anchor }
}

/** What GitHub makes of headings: small letters, no punctuation, hyphens for spaces, a number for the second of a name. */
function anchorsOf(page: string): ReadonlySet<string> {
  const anchors = new Set<string>()
  for (const [, heading = ''] of withoutFences(page).matchAll(/^#{1,6} (.+)$/gm)) {
    const text = heading.replace(/\]\([^)]*\)/g, ']').toLowerCase()
    const anchor = text.replace(/[^\p{L}\p{N}\p{M}_ -]/gu, '').replace(/ /g, '-')
    let name = anchor
    for (let again = 1; anchors.has(name); again += 1) name = `${anchor}-${again}`
    anchors.add(name)
  }
  return anchors
}

function proseOf(page: string): string {
  return withoutFences(page).replace(/`[^`\n]*`/g, '`')
}

function withoutFences(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8').replace(/^( *)(`{3,})[^\n]*\n[\s\S]*?^\1\2 *$/gm, '')
}
