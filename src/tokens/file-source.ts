/** Signing keys in files that an operator mounts, and rotates by adding another. */

import { SettingsError } from '../../providers/contract/errors.ts'
import { createKeyDirectoryReader, type KeyDirectory } from './key-files.ts'
import type { KeySource } from './key-source.ts'
import { createRingSource, type RingSourcePorts } from './ring-source.ts'

const SETTING = '--signing-keys'

/**
 * Creates the source. A file that appears is published at once, if there is room, and signs when it has been public for long enough;
 * the store remembers when that was. A key that was retired or revoked never comes back, though its file may stay.
 *
 * Throws {@link SettingsError} where a file cannot be used: it is open to everybody, no PKCS#8 key, too weak or of an unknown kind.
 * What is wrong with one that comes later is told, and the others go on.
 */
export async function createFileSource(directory: string, ports: RingSourcePorts): Promise<KeySource> {
  const read = createKeyDirectoryReader(directory)
  let found = await read().catch((error: unknown) =>
    refuse([error instanceof Error ? error.message : 'cannot be read']),
  )
  if (found.problems.length > 0) refuse(found.problems)
  const rules = { ...ports.rules, promotes: 'as soon as it may' } as const
  return createRingSource(
    {
      held: 'file',
      async refresh() {
        try {
          found = await read()
          return found.problems.map((problem) => `${SETTING}: ${problem}`)
        } catch (error) {
          return [`${SETTING}: ${error instanceof Error ? error.message : 'cannot be read'}`]
        }
      },
      async offer(algorithm, isKnown) {
        return found.keys.find((key) => key.algorithm === algorithm && !isKnown(key.keyId))?.privateKey
      },
      find: (keyId) => findKey(found, keyId),
      explainWaiting: (isKnown) =>
        found.keys
          .filter(({ keyId }) => !isKnown(keyId))
          .map(
            ({ file }) =>
              `${SETTING}: ${file} is not published yet: its algorithm has a next key, or four are published`,
          ),
      explainNone: (algorithm) => wrong(`${directory} holds no ${algorithm} key, and one of each algorithm is needed`),
      explainMissing: ({ keyId, algorithm, state }) =>
        wrong(
          `the file of the ${state} ${algorithm} key ${keyId} is not in ${directory}: put it back, or take the key out of use with chancery keys revoke`,
        ),
    },
    { ...ports, rules },
  )
}

function findKey({ keys }: KeyDirectory, keyId: string) {
  return keys.find((key) => key.keyId === keyId)?.privateKey
}

function wrong(message: string) {
  return { path: [SETTING], code: 'setting_wrong', message: `${SETTING}: ${message}` }
}

function refuse(problems: readonly string[]): never {
  throw new SettingsError(problems.map(wrong))
}
