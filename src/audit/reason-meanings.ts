/** What each reason means and what to do about it, for whoever is woken by it. `src/README.md` shows the same table. */

import type { RefusalReason } from './reasons.ts'

export const REASON_MEANINGS: Readonly<Record<RefusalReason, string>> = {
  method_not_allowed: 'The token endpoint was asked with something other than POST.',
  media_type_unsupported:
    'The body is not declared as application/x-www-form-urlencoded; JSON and multipart are not read.',
  body_too_large: 'The body is larger than 64 KiB.',
  body_unreadable: 'The body broke off, or has more than 64 parameters.',
  parameter_repeated: 'A parameter stands in the body twice. Only audience and resource may.',
  parameter_in_query: 'A parameter of the exchange stands in the URL. All belong in the body.',
  parameter_missing: 'grant_type, subject_token or subject_token_type is missing or empty.',
  grant_type_unsupported: 'Another grant type was asked for than token exchange.',
  subject_token_type_unsupported: 'No trusted issuer of the document makes proofs of this type.',
  requested_token_type_unsupported: 'Something other than an access token or a JWT was asked for.',
  actor_unsupported: 'An actor token came along; delegation is off.',
  authorization_unsupported: 'The request has an Authorization header other than Basic.',
  target_ambiguous: 'audience and resource name more than one target.',
  scope_malformed: 'scope is not a list of scopes separated by single spaces.',
  proof_too_large: 'The proof is longer than 16 KiB, which no platform’s is.',
  proof_malformed: 'The proof is not what its type says, or is spelled in a way that readers disagree on.',
  envelope_foreign:
    'The signed AWS request is wrapped as Vault, Teleport, aws-iam-authenticator or another tool wraps it. Its client must sign x-chancery-audience, and send url, method, headers and body as percent-encoded JSON.',
  header_forbidden: 'The proof’s header names a key or changes how it is read. No platform’s does: look for an attack.',
  type_not_accepted: 'The proof’s typ says that it was made for another purpose, such as being one of our own tokens.',
  algorithm_not_allowed: 'The proof is signed with an algorithm that its platform does not use.',
  issuer_not_trusted:
    'No trusted issuer has exactly this iss; the log names it. A rebuilt cluster has a new one: add it to issuers.',
  key_id_missing: 'The proof does not say which key signed it.',
  key_unknown: 'The issuer does not publish the key. A forgery, or a rotation within the last half minute.',
  key_unsuitable: 'The key that the proof names is for another algorithm.',
  signature_invalid: 'The signature does not hold: the proof was changed or forged.',
  audience_mismatch:
    'The proof was made for somebody else; the log names whom. Ask the platform for one made for a proof audience.',
  audience_not_single:
    'The proof was made for several parties at once. Ask the platform for one made for this broker alone.',
  audience_not_signed:
    'The AWS request is not signed over an audience header, so anybody who sees it could use it elsewhere. Google’s libraries for Node and Python sign none: give them a web-identity token by their file or URL source. Others must sign x-chancery-audience.',
  proof_expired: 'The proof has expired. The workload kept it too long, or a clock is wrong.',
  proof_not_yet_valid: 'The proof begins more than a minute from now: a clock is wrong.',
  proof_lifetime_too_long: 'The proof lives longer than this provider accepts. Ask the platform for a shorter one.',
  claim_missing: 'A claim that this platform always sends is missing; the log names it.',
  claim_invalid: 'A claim has a form that this platform never sends; the log names it.',
  claim_forbidden: 'A claim marks a token of another kind, such as an automatically mounted one; the log names it.',
  claims_inconsistent: 'Two claims of the proof contradict each other.',
  principal_not_accepted:
    'The AWS principal is of a kind that its trusted issuer does not take: root and federated users never are, users and people of Identity Center only where principals names them.',
  endpoint_not_accepted:
    'The AWS request was signed for an STS host or region that its trusted issuer does not take, or where STS is off for the account; see regions and endpoints.',
  subject_not_live: 'The cluster says that the pod, account or token is gone, or never was.',
  review_mismatch: 'The cluster confirmed something other than what was asked: look at who answers for it.',
  upstream_unreachable: 'The issuer cannot be reached, or its certificate does not hold.',
  upstream_timeout: 'The issuer did not answer within five seconds.',
  upstream_address_refused: 'The issuer’s name leads to a private address: name it in private_hosts if it is yours.',
  upstream_redirected: 'The issuer answered with a redirect, which is never followed.',
  upstream_encoded: 'The issuer sent a compressed answer although none was asked for.',
  upstream_too_large: 'The issuer’s answer is larger than any honest one.',
  upstream_status: 'The issuer answered with an error; the log has its status.',
  upstream_malformed: 'The issuer’s answer is not what its protocol says.',
  upstream_busy: 'Too many checks are under way at this issuer.',
  file_unreadable:
    'A file that the document names cannot be read from --secrets-dir, or holds no certificate; the log names it.',
  proof_replayed:
    'The proof may be used once, and was. A client that retries must prove itself anew; another sender has captured it.',
  proof_predates_store:
    'The store cannot tell whether the proof was spent before: it is newer than the proof, was away or put back within a minute of its making, or the clock was set back. A new proof will do.',
  issuer_suspended:
    'The trusted issuer is suspended: none of its proofs is taken, and whether this one is genuine was not looked into.',
  binding_missing: 'The proof is genuine, and no binding matches it. Explain shows the nearest ones.',
  binding_suspended:
    'The binding that decides is suspended, or another of the same identity that matches as closely. A wider one never takes its place.',
  identity_malformed:
    'The binding’s template takes an attribute that the proof does not have, or whose value is no segment of a name. Explain shows which.',
  identity_suspended: 'The identity, or the entry that its name lies below, is suspended.',
  target_missing: 'No target was named, and the identity has several, or none.',
  target_refused: 'The identity has no grant for the target, or the document does not declare it.',
  scope_refused: 'The identity’s grant does not hold a scope that was asked for.',
  store_unavailable: 'The store could not be asked whether the proof was spent: look at --store and its disk.',
  store_full:
    'The store remembers 1,000,000 spent proofs, and forgets none before its time. Find who proves itself so often, or wait half an hour.',
  key_unavailable:
    'The key that was to sign could not be used: it was revoked in that moment, or whoever holds it did not answer. A second try will do.',
  audit_unavailable: 'The record could not be written, so no token was issued: look at the audit sink.',
  not_ready:
    'There was no document or no key to serve with, or the keys could not be confirmed for ten minutes: look at --store.',
  too_busy: 'More exchanges were under way than this process takes.',
  internal: 'A bug. The log has an entry with this request id: please report it.',
}
