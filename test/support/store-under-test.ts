import type { Store } from '../../src/store/store.ts'

/** One empty store that several may open. */
export interface StoreUnderTest {
  /** Opens it once more, as another process would. */
  readonly open: () => Promise<Store>
  /** Where a process of its own finds it: `sqlite:PATH`. */
  readonly locator: string
}
