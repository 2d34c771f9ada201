import { statSync } from 'node:fs'

/** A copy has another number or another time of birth than the file that it was made of, even under the same name. */
export function identify(file: string): string {
  const { ino, birthtimeNs } = statSync(file, { bigint: true })
  return `${ino} ${birthtimeNs}`
}

/** Makes the check that a file is still the one that it is now. What is done to the file in its place would not be seen here. */
export function guardFile(file: string): () => void {
  const opened = identify(file)
  return () => {
    if (identify(file) !== opened) throw new Error('the store was replaced while it was in use: restart')
  }
}
