/**
 * Gives a text for a terminal: whatever is no plain ASCII is escaped, as it could look like something else, or not be seen, or be
 * taken for a command.
 */
export function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, escapeUnit)
}

/** Gives a line for a terminal or a quotation: whatever could be taken for a command, or for the end of a line, is escaped. */
export function onOneLine(text: string): string {
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => character.split('').map(escapeUnit).join(''))
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}
