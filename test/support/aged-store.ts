import { openStore } from './open-store.ts'

/** Seconds: longer ago than any proof of a test was made. */
const AGE = 86_400

/** Makes an empty store that can tell about every proof made today: a new one refuses those that may be older than itself. */
export async function makeAgedStore(path: string, now: number): Promise<void> {
  await makeAgedStoreAt(`sqlite:${path}`, now)
}

/** As {@link makeAgedStore}, where a locator says. */
export async function makeAgedStoreAt(locator: string, now: number): Promise<void> {
  const store = await openStore(locator)
  const spentProofs = await store.openSpentProofs(now - AGE)
  await spentProofs.tend(now)
  await store.close()
}
