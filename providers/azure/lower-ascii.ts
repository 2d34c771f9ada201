/** Gives a text with A to Z in lower case and everything else as it was: other letters (a Kelvin sign, say) are not to become ASCII. */
export function lowerAscii(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
}
