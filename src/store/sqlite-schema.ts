/** The tables of the embedded store, as a list of steps that only ever grows. */

import type { DatabaseSync } from 'node:sqlite'

const STEPS = [
  `CREATE TABLE signing_keys (
     key_id TEXT PRIMARY KEY,
     algorithm TEXT NOT NULL CHECK (algorithm IN ('ES256', 'RS256')),
     state TEXT NOT NULL CHECK (state IN ('next', 'current', 'retired')),
     published_at INTEGER NOT NULL,
     sealed TEXT NOT NULL
   ) STRICT;
   CREATE UNIQUE INDEX one_current_key ON signing_keys (algorithm) WHERE state = 'current';
   CREATE UNIQUE INDEX one_next_key ON signing_keys (algorithm) WHERE state = 'next';
   CREATE TABLE kept_document (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     file TEXT NOT NULL,
     text TEXT NOT NULL,
     code TEXT NOT NULL
   ) STRICT;`,
] as const

/** Brings a store up to date, one process at a time. Throws where a newer version has written it. */
export function migrate(database: DatabaseSync): void {
  inTransaction(database, () => {
    const version = Number(database.prepare('PRAGMA user_version').get()?.user_version ?? 0)
    if (version > STEPS.length) throw new Error('a newer version of chancery has written this store: use that version')
    for (const step of STEPS.slice(version)) database.exec(step)
    database.exec(`PRAGMA user_version = ${STEPS.length}`)
  })
}

/** Takes the write lock first, so that what is read inside cannot be outdated by another process. */
export function inTransaction(database: DatabaseSync, work: () => void): void {
  database.exec('BEGIN IMMEDIATE')
  try {
    work()
    database.exec('COMMIT')
  } catch (error) {
    database.exec('ROLLBACK')
    throw error
  }
}
