/** A process that waits all day: what would make it faster would only make it larger. */

import { setFlagsFromString } from 'node:v8'

/**
 * Has V8 leave its two optimising compilers alone from now on. What they would compile, and their own code that would be read for
 * it, are 9 of the 76 MiB that an agent has otherwise; and it has hardly anything to do that could be faster. Bun has no such thing.
 *
 * @see {@link https://v8.dev/blog/maglev V8 on its compilers}
 */
export function keepSmall(): void {
  if ('bun' in process.versions) return
  setFlagsFromString('--no-maglev')
  setFlagsFromString('--no-opt')
}
