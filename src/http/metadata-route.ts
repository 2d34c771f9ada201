import { TOKEN_EXCHANGE_GRANT } from '../oauth/vocabulary.ts'

/**
 * Gives the metadata that verifiers and clients find us by, the same under both of its names.
 *
 * `response_types_supported` and the three members after it are there because OpenID Connect verifiers insist on them: AWS, GCP,
 * Entra, Kubernetes and Envoy. Both algorithms are named, as some of them take only what is named.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8414.html#section-2 RFC 8414 section 2}
 * @see {@link https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata OpenID Connect Discovery section 3}
 */
export function metadataOf(brokerIssuer: string, subjectTokenTypes: readonly string[]): object {
  return {
    issuer: brokerIssuer,
    token_endpoint: `${brokerIssuer}/token`,
    jwks_uri: `${brokerIssuer}/.well-known/jwks.json`,
    grant_types_supported: [TOKEN_EXCHANGE_GRANT],
    token_endpoint_auth_methods_supported: ['none'],
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256', 'RS256'],
    claims_supported: ['iss', 'sub', 'aud', 'client_id', 'iat', 'exp', 'jti', 'scope', 'proof'],
    subject_token_types_supported: subjectTokenTypes,
  }
}

/** Gives the path at which RFC 8414 looks for the metadata of an issuer: its well-known part comes before the issuer's own path. */
export function insertedMetadataPath(issuerPath: string): string {
  return `/.well-known/oauth-authorization-server${issuerPath}`
}
