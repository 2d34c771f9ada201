import type { PostgresLocation } from './postgres-url.ts'

/** Which store, and where it is. */
export type StoreLocation =
  | { readonly kind: 'sqlite'; readonly path: string }
  | ({ readonly kind: 'postgres' } & PostgresLocation)
