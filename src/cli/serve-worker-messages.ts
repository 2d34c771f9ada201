/** What a supervisor and its workers tell each other. */

import type { SettingsProblem } from '../../providers/contract/errors.ts'
import type { Flags } from '../config.ts'
import type { ListenAddress } from '../config-values.ts'
import type { Finding } from '../federation/finding.ts'
import type { MetricsOfWorker } from '../metrics-workers.ts'

/** What a worker is told. */
export type ToWorker =
  | { readonly kind: 'prepare'; readonly flags: Flags }
  | { readonly kind: 'listen' }
  | { readonly kind: 'tell-metrics' }
  /** Of the records that it last asked to have written. `failure` says why they may not be where they belong. */
  | { readonly kind: 'appended'; readonly failure: string | undefined }
  | { readonly kind: 'drain' }

/** What a worker tells. */
export type FromWorker =
  | { readonly kind: 'prepared' }
  /** What it cannot start for. It ends by itself. `findings` are there where no document can be served. */
  | {
      readonly kind: 'refused'
      readonly problems: readonly SettingsProblem[]
      readonly findings: readonly Finding[] | undefined
    }
  | { readonly kind: 'listening'; readonly address: ListenAddress }
  | { readonly kind: 'metrics'; readonly metrics: MetricsOfWorker }
  /** Records, each with its end of line. The next ones come only when it has been told of these. */
  | { readonly kind: 'append'; readonly text: string }
