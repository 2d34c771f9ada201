import { setFlagsFromString } from 'node:v8'

/**
 * Tells V8 that what is allocated from now on stays, as it does where a large document is read: its nursery for short-lived objects
 * does not grow, which for 100,000 bindings saves 110 of 485 MiB, and a tenth of the time; and the heap is cleaned each time that it
 * has grown by 120 percent, and not by up to 300, which saves 50 MiB more and makes the peak the same each time. For a process that
 * ends afterwards.
 *
 * @see {@link https://v8.dev/blog/orinoco-parallel-scavenger V8 on its young generation}
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--heap-growing-percent=120')
}
