/** Proves the platform document by itself: everything that the broker relies on, whatever teams may add. */

import type { Binding } from './bindings.ts'
import { type Delegation, readDelegations, territoriesOf } from './delegation.ts'
import type { FederationDocument } from './document.ts'
import type { Complaint } from './finding.ts'
import { findNestedIdentities } from './identity-entries.ts'
import { createNeighbours, type Neighbours } from './neighbours.ts'
import { findChoiceComplaints, findOverlapComplaints, readBindings } from './read-bindings.ts'
import { createTakenNames, type TakenNames } from './taken-names.ts'
import { findUntakenValues } from './untaken-values.ts'
import {
  findAudienceComplaints,
  findIdentityComplaints,
  type ReadyIssuer,
  readTrustedIssuers,
  type ValidationContext,
} from './validate.ts'

/** The platform document, read. Relied on only where nothing is wrong with it. */
export interface Platform {
  readonly document: FederationDocument
  readonly issuers: readonly ReadyIssuer[]
  readonly delegations: ReadonlyMap<string, Delegation>
  readonly bindings: readonly Binding[]
  readonly neighbours: Neighbours
  readonly names: TakenNames
}

/** Reads the platform document and says all that is wrong with it. */
export function provePlatform(
  document: FederationDocument,
  context: ValidationContext,
): { readonly platform: Platform; readonly complaints: readonly Complaint[] } {
  const { issuers, complaints: issuerComplaints } = readTrustedIssuers(document, context)
  const { bindings, complaints: bindingComplaints } = readBindings(document, issuers)
  const { delegations, complaints: delegationComplaints } = readDelegations(document, issuers)
  const neighbours = createNeighbours(bindings, territoriesOf(delegations.values()), issuers)
  return {
    platform: { document, issuers, delegations, bindings, neighbours, names: createTakenNames(document.identities) },
    complaints: [
      ...issuerComplaints,
      ...findAudienceComplaints(document),
      ...findIdentityComplaints(document),
      ...findNestedIdentities(document),
      ...bindingComplaints,
      ...findUntakenValues(document.bindings, issuers),
      ...findOverlapComplaints(bindings, issuers),
      ...findChoiceComplaints(bindings, issuers),
      ...delegationComplaints,
      ...neighbours.complaints,
    ],
  }
}
