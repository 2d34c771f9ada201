/** Writes what was decided, and says so when it could not. */

import type { AuditRecord } from './record.ts'
import { createSampler } from './sampler.ts'
import type { AuditSink } from './sink.ts'

export interface Audit {
  /** Resolves when the record is kept, and rejects where it is not: then there shall be no token either. */
  issued(record: AuditRecord): Promise<void>
  /**
   * Keeps a refusal's record, or one in a hundred of them beyond a hundred a second of one trusted issuer (or of none), verified
   * and unverified proofs apart. Gives whether it was kept; never throws, as a refusal stands without its record.
   */
  refused(record: AuditRecord, isVerified: boolean): Promise<boolean>
}

export interface AuditPorts {
  readonly sink: AuditSink
  /** A clock that never goes back, in milliseconds. */
  readonly clock: () => number
  /** Called where a record could not be written. */
  readonly onFailure: (error: unknown) => void
  /** Called for each refusal that was counted instead of recorded. */
  readonly onSampled: (trustedIssuer: string, isVerified: boolean) => void
}

/** Creates the audit trail over a sink. */
export function createAudit(ports: AuditPorts): Audit {
  const isRecorded = createSampler(ports.clock)
  return {
    async issued(record) {
      try {
        await ports.sink.write(JSON.stringify(record))
      } catch (cause) {
        ports.onFailure(cause)
        throw cause
      }
    },
    async refused(record, isVerified) {
      if (!isRecorded(JSON.stringify([record.trusted_issuer, isVerified]))) {
        ports.onSampled(record.trusted_issuer ?? 'none', isVerified)
        return false
      }
      try {
        await ports.sink.write(JSON.stringify(record))
        return true
      } catch (error) {
        ports.onFailure(error)
        return false
      }
    },
  }
}
