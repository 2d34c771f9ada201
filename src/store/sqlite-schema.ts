/** The tables of the embedded store, as a list of steps that only ever grows. */

import type { DatabaseSync } from 'node:sqlite'
import { inTransaction } from './sqlite-transaction.ts'

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
  `CREATE TABLE spent_proofs (
     digest BLOB PRIMARY KEY CHECK (length(digest) = 32),
     remember_until INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX spent_proofs_by_age ON spent_proofs (remember_until);
   CREATE TABLE spending (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     believed_from INTEGER NOT NULL,
     alive_at INTEGER NOT NULL,
     file TEXT NOT NULL,
     forgotten_until INTEGER NOT NULL,
     count INTEGER NOT NULL CHECK (count >= 0)
   ) STRICT;`,
  `DROP TABLE kept_document;
   CREATE TABLE kept_documents (
     delegation TEXT PRIMARY KEY,
     file TEXT NOT NULL,
     digest TEXT NOT NULL,
     packed BLOB NOT NULL,
     code TEXT NOT NULL
   ) STRICT;`,
  // Keys of the time before count as a ring already: none is ever made in their place.
  `DROP INDEX one_current_key;
   DROP INDEX one_next_key;
   ALTER TABLE signing_keys RENAME TO old_signing_keys;
   CREATE TABLE signing_keys (
     key_id TEXT PRIMARY KEY,
     algorithm TEXT NOT NULL CHECK (algorithm IN ('ES256', 'RS256')),
     state TEXT NOT NULL CHECK (state IN ('next', 'current', 'retired', 'withdrawn')),
     held TEXT NOT NULL,
     published_at INTEGER NOT NULL,
     since INTEGER NOT NULL,
     published_uptime INTEGER NOT NULL,
     since_uptime INTEGER NOT NULL,
     sealed TEXT NOT NULL
   ) STRICT;
   INSERT INTO signing_keys
     SELECT key_id, algorithm, state, 'store', published_at, published_at, 0, 0, sealed FROM old_signing_keys;
   DROP TABLE old_signing_keys;
   CREATE UNIQUE INDEX one_current_key ON signing_keys (algorithm) WHERE state = 'current';
   CREATE UNIQUE INDEX one_next_key ON signing_keys (algorithm) WHERE state = 'next';
   CREATE TABLE key_ring (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     version INTEGER NOT NULL CHECK (version >= 0),
     uptime INTEGER NOT NULL CHECK (uptime >= 0),
     code TEXT NOT NULL
   ) STRICT;
   INSERT INTO key_ring VALUES (1, EXISTS (SELECT 1 FROM signing_keys), 0, '');`,
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
