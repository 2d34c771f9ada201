/** A stand-in for each cloud, with a workload in it. */

import { SettingsError } from '../../../providers/contract/errors.ts'
import type { NumericDate, ProviderName } from '../../../providers/contract/proof.ts'
import type { StandIn } from '../../../providers/contract/stand-in.ts'
import { standIns } from '../../../providers/stand-ins.ts'

/** A cloud that runs. */
export interface Cloud {
  readonly name: ProviderName
  readonly standIn: StandIn
}

/**
 * Starts them all, on the ports from `firstPort` on; undefined takes free ones. Throws {@link SettingsError} where a port is taken,
 * with nothing left running.
 */
export async function startClouds(firstPort: number | undefined, now: () => NumericDate): Promise<readonly Cloud[]> {
  const starts = standIns.map(async ({ name, start }, at) => {
    const place = firstPort === undefined ? {} : { port: firstPort + at }
    return { name, standIn: await start({ now, ...place }) }
  })
  const settled = await Promise.allSettled(starts)
  const failed = settled.find((each) => each.status === 'rejected')
  if (failed === undefined) return await Promise.all(starts)
  await closeClouds(settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : [])))
  const reason = failed.reason instanceof Error ? failed.reason.message : 'it cannot be listened on'
  const message = `--port: the clouds need ${standIns.length} ports after the broker's: ${reason}`
  throw new SettingsError([{ path: ['--port'], code: 'setting_wrong', message }])
}

/** Stops them all. */
export async function closeClouds(clouds: readonly Cloud[]): Promise<void> {
  await Promise.all(clouds.map(({ standIn }) => standIn.close()))
}
