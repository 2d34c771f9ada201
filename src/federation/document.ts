/** The federation document: the one artefact that Terraform hands over. This schema is its only definition. */

import { z } from 'zod'
import type { VerifierProvider } from '../../providers/contract/provider.ts'
import { SCOPE_TOKEN } from '../oauth/vocabulary.ts'

/** Longest life of a token that we mint, in seconds. */
export const MAX_TOKEN_LIFETIME_SECONDS = 3_600

/** Life of a token whose identity asks for nothing else, in seconds. */
export const DEFAULT_TOKEN_LIFETIME_SECONDS = 900

/** Largest `claims` of an identity, in bytes of JSON. */
export const MAX_CLAIMS_BYTES = 2_048

/** Trusted issuers and bindings: names for people, in logs and records. */
const ITEM_NAME = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,126}$/
const IDENTITY_ENTRY_NAME = /^[a-z0-9][a-z0-9._-]{0,62}(\/[a-z0-9][a-z0-9._-]{0,62})*(\/\*)?$/
/** Which attributes a template may take is a matter of its trusted issuer. */
const IDENTITY_TEMPLATE =
  /^([a-z0-9][a-z0-9._-]{0,62}|\{[^{}]{1,200}\})(\/([a-z0-9][a-z0-9._-]{0,62}|\{[^{}]{1,200}\}))*$/
/** @see {@link https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md#21-trust-domain SPIFFE-ID section 2.1} */
const TRUST_DOMAIN = /^[a-z0-9._-]{1,255}$/
const PRINTABLE = /^[\x21-\x7e]{1,255}$/

const itemName = z
  .string()
  .regex(ITEM_NAME, 'a name is letters, digits, ".", "_", "/" and "-", and starts with a letter or digit')
const audienceName = z
  .string()
  .regex(PRINTABLE, 'an audience is printable ASCII without spaces, at most 255 characters')
/** What stands in `identities`: one name, or every name below a path. */
const identityEntryName = z
  .string()
  .max(255)
  .regex(
    IDENTITY_ENTRY_NAME,
    'an identity is segments of a-z, 0-9, ".", "_" and "-", joined by "/"; all below it are "/*"',
  )
/** What a binding gives: a name, or a template of one. */
const identityTemplate = z
  .string()
  .max(255)
  .regex(
    IDENTITY_TEMPLATE,
    'an identity is segments of a-z, 0-9, ".", "_" and "-", or whole segments such as "{kubernetes.namespace}", joined by "/"',
  )
/** It ends where a segment does, so that `payments/` never takes in `payments-evil`. */
const IDENTITY_PREFIX = /^([a-z0-9][a-z0-9._-]{0,62}\/)+$/
const suspended = z.boolean().optional()
const lifetime = z.int().min(1).max(MAX_TOKEN_LIFETIME_SECONDS)
const proofAudiences = z
  .array(audienceName, { error: 'list whom proofs must be made for: names of this broker alone' })
  .min(1, 'name whom proofs must be made for')
  .max(16)

const audience = z.strictObject({
  scopes: z
    .array(z.string().max(255).regex(SCOPE_TOKEN, 'a scope is printable ASCII without space, quote and backslash'))
    .min(1, 'name a scope, or leave the member out')
    .max(256)
    .optional(),
  max_lifetime_seconds: lifetime.optional().describe('Longest life of a token for this audience.'),
  signing_alg: z.enum(['ES256', 'RS256']).optional().describe('ES256 unless its verifier knows RS256 alone.'),
  token_type: z
    .enum(['at+jwt', 'JWT'])
    .optional()
    .describe('The typ of its tokens: at+jwt unless its verifier refuses that.'),
})

const grants = z.record(audienceName, z.array(z.string()).max(256)).default({})

const identity = z.strictObject({
  grants: grants.describe('The scopes that it may have, by audience; an empty list for an audience without scopes.'),
  lifetime_seconds: lifetime.optional().describe('Life of its tokens, 900 by default.'),
  claims: z.record(z.string(), z.json()).optional().describe('Claims that its tokens have beside ours.'),
  suspended: suspended.describe('Whether it is given nothing for now.'),
})

const condition = z.union([z.string(), z.array(z.string()).min(1, 'name a value').max(256)], {
  error: 'a condition is a string, or a list of at most 256 strings',
})

const binding = z.strictObject({
  trusted_issuer: itemName.describe('Whose proofs it is about.'),
  match: z
    .record(z.string(), condition)
    .describe('What a proof must have, attribute by attribute: a value, one of a list, or a prefix such as "web-*".'),
  identity: identityTemplate.describe(
    'Whom such a proof is for; a segment may be an attribute, as in "preview/{kubernetes.namespace}".',
  ),
  suspended: suspended.describe('Whether the proofs that it decides are refused for now.'),
  mode: z
    .literal('shadow')
    .optional()
    .describe('In shadow it gives nothing, and what it would have decided is recorded.'),
})

const identities = z
  .record(identityEntryName, identity)
  .default({})
  .describe('Who there is, and what each may have; "preview/*" is every name below preview that a template makes.')

const bindings = z.record(itemName, binding).default({}).describe('Which proofs are for which identity.')

const delegation = z.strictObject({
  identity_prefix: z
    .string()
    .max(200)
    .regex(IDENTITY_PREFIX, 'a prefix is whole segments of an identity, each with its "/", such as "payments/"')
    .describe('What the name of each of its identities begins with, such as "payments/".'),
  trusted_issuers: z
    .record(
      itemName,
      z.strictObject({
        match: z
          .record(z.string(), condition)
          .describe('What each of its bindings must lie inside, written as the match of a binding; {} is every proof.'),
      }),
    )
    .default({})
    .describe('Whose proofs it may bind, and which of them.'),
  grants: grants.describe('The audiences that it may grant, and the scopes of each.'),
  claims: z
    .array(z.string())
    .max(64)
    .default([])
    .describe('Names of the claims that its identities may have beside ours; none by default.'),
})

type Provider = Pick<VerifierProvider<unknown>, 'name' | 'needsOwnProofAudiences' | 'settingsShape'>

/** Builds the schema of the document for these clouds. Unknown members are errors everywhere. */
export function createDocumentSchema(providers: readonly Provider[]) {
  const [first, ...others] = providers.map((provider) => {
    const entry = z.strictObject({
      provider: z.literal(provider.name),
      proof_audiences: proofAudiences.optional(),
      suspended: suspended.describe('Whether its proofs are refused for now.'),
      ...provider.settingsShape,
    })
    return provider.needsOwnProofAudiences === true ? entry.extend({ proof_audiences: proofAudiences }) : entry
  })
  if (first === undefined) throw new TypeError('no provider is registered')
  return z
    .strictObject({
      version: z.literal(1),
      trust_domain: z
        .string()
        .regex(TRUST_DOMAIN, 'a trust domain is lower-case letters, digits, ".", "_" and "-"')
        .describe('Where our identities are unique: spiffe://<trust_domain>/<identity>.'),
      proof_audiences: proofAudiences
        .optional()
        .describe('Whom proofs must be made for: names of this broker alone. Its issuer by default.'),
      trusted_issuers: z
        .record(itemName, z.discriminatedUnion('provider', [first, ...others]))
        .describe('Whose proofs are taken, by a name of your choice.'),
      audiences: z.record(audienceName, audience).default({}).describe('Whom our tokens may be for.'),
      identities,
      bindings,
      delegations: z
        .record(itemName, delegation)
        .default({})
        .describe('Which teams have documents of their own, and what each may write in it.'),
    })
    .describe('Chancery federation document')
}

/** What a team writes of its own: names within its delegation. Whatever else the platform decides is an unknown member here. */
export const teamDocumentSchema = z
  .strictObject({
    version: z.literal(1),
    delegation: itemName.describe('Which of the platform document’s delegations it is.'),
    identities,
    bindings,
  })
  .describe('Chancery team document')

export type TeamDocument = z.output<typeof teamDocumentSchema>
export type DelegationEntry = z.output<typeof delegation>
export type FederationDocument = z.output<ReturnType<typeof createDocumentSchema>>
export type AudienceEntry = z.output<typeof audience>
export type IdentityEntry = z.output<typeof identity>
export type BindingEntry = z.output<typeof binding>
export type TrustedIssuerEntry = FederationDocument['trusted_issuers'][string]

/** Gives the published JSON Schema of the document as people write it: defaulted members may be absent. */
export function toJsonSchema(providers: readonly Provider[]): object {
  return z.toJSONSchema(createDocumentSchema(providers), { io: 'input', target: 'draft-2020-12' })
}

/** Gives the published JSON Schema of a team document. */
export function toTeamJsonSchema(): object {
  return z.toJSONSchema(teamDocumentSchema, { io: 'input', target: 'draft-2020-12' })
}
