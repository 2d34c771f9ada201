/**
 * Gives a text for a terminal: whatever is no plain ASCII is escaped, as it could look like something else, or not be seen, or be
 * taken for a command.
 */
export function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
