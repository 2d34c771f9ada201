/** An agent that is not to stay: every file written once. */

import type { TokenSource } from '../../client/client.ts'
import type { KeeperWorld } from '../delivery/keep-fresh.ts'
import type { AgentLog } from './agent-log.ts'
import type { OutputConfig } from './config.ts'
import { groupOutputs, tellTrouble, writeOutputs } from './kept-outputs.ts'

/** Writes every file that a token is got for, whatever becomes of the others, and gives what went wrong, in their order. */
export async function writeOnce(
  outputs: readonly OutputConfig[],
  source: TokenSource,
  log: AgentLog,
  world: KeeperWorld,
): Promise<readonly unknown[]> {
  const attempts = groupOutputs(outputs).map(async (group) => {
    try {
      await writeOutputs(group, await source.token(group.wish), log, world)
      return []
    } catch (trouble) {
      tellTrouble(group.wish, trouble, undefined, log)
      return [trouble]
    }
  })
  return (await Promise.all(attempts)).flat()
}
