/** Finds where text stops being JSON, for whoever has to mend it. Parsers differ in what they tell, and some quote the text. */

const SPACE = /[ \t\r\n]*/y
const TOKEN =
  /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|[{}[\]:,]/y

/** What may come next. */
type Expected = 'value' | 'value or end' | 'name' | 'name or end' | 'colon' | 'comma' | 'nothing'

/**
 * Gives the position of the first token that cannot stand where it does, in UTF-16 units; the length of the text where it breaks
 * off. Meant for text that a parser has refused.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8259.html#section-2 RFC 8259 section 2}
 */
export function findSyntaxFault(text: string): number {
  const open: string[] = []
  let expected: Expected | undefined = 'value'
  let at = skipSpace(text, 0)
  while (expected !== undefined) {
    TOKEN.lastIndex = at
    const token = TOKEN.exec(text)?.[0]
    expected = token === undefined ? undefined : follow(token, expected, open)
    if (expected !== undefined) at = skipSpace(text, TOKEN.lastIndex)
  }
  return at
}

function skipSpace(text: string, from: number): number {
  SPACE.lastIndex = from
  SPACE.test(text)
  return SPACE.lastIndex
}

/** Gives what may come after a token; undefined where the token itself may not come. */
function follow(token: string, expected: Expected, open: string[]): Expected | undefined {
  switch (expected) {
    case 'value':
    case 'value or end':
      if (token === ']') return expected === 'value or end' ? close(open) : undefined
      return beginValue(token, open)
    case 'name':
    case 'name or end':
      if (token === '}') return expected === 'name or end' ? close(open) : undefined
      return token.startsWith('"') ? 'colon' : undefined
    case 'colon':
      return token === ':' ? 'value' : undefined
    case 'comma':
      if (token === ',') return open.at(-1) === '{' ? 'name' : 'value'
      return token === (open.at(-1) === '{' ? '}' : ']') ? close(open) : undefined
    case 'nothing':
      return undefined
  }
}

function beginValue(token: string, open: string[]): Expected | undefined {
  if ('},:'.includes(token)) return undefined
  if (token !== '{' && token !== '[') return afterValue(open)
  open.push(token)
  return token === '{' ? 'name or end' : 'value or end'
}

function close(open: string[]): Expected {
  open.pop()
  return afterValue(open)
}

function afterValue(open: readonly string[]): Expected {
  return open.length === 0 ? 'nothing' : 'comma'
}
