# What others are told of the document.

locals {
  issuer_problems = concat(
    local.proof_audience_problems, local.settings_problems, local.key_problems, local.url_problems, local.conflict_problems,
  )

  problems = concat(
    local.unknown_in_issuers, local.unknown_in_names, local.issuer_shape_problems, local.name_shape_problems, local.issuer_problems,
    module.mapping.identity_problems, module.mapping.binding_problems, local.delegation_problems, module.mapping.overlap_problems,
    local.too_many,
  )

  led_to = { for name, entry in module.mapping.entries : entry => name... if entry != null }

  identities = { for name, entry in local.mapped.identities : name => {
    spiffe_id = endswith(name, "/*") ? null : "spiffe://${var.trust_domain}/${name}"
    suspended = try(entry.suspended, false)
    bindings  = try(local.led_to[name], [])
    grants = { for audience in try(keys(entry.grants), []) : audience => {
      scopes = [for scope in entry.grants[audience] : scope]
      lifetime_seconds = min(
        try(entry.lifetime_seconds, local.catalogue.limits.default_lifetime_seconds),
        try(local.entries.audiences[audience].max_lifetime_seconds, local.catalogue.limits.lifetime_seconds),
      )
    } }
  } }

  handed_out = { for name, delegation in local.delegations : name => {
    name            = name
    identity_prefix = delegation.identity_prefix
    claims          = [for claim in delegation.claims : claim]
    grants          = { for audience in keys(delegation.grants) : audience => [for scope in delegation.grants[audience] : scope] }
    audiences       = { for audience in keys(delegation.grants) : audience => try(local.declared[audience], { scopes = null }) }
    trusted_issuers = { for issuer, entry in delegation.trusted_issuers : issuer => {
      provider = try(local.providers[issuer], null)
      match    = try(module.territory_conditions.matches[jsonencode([name, issuer])], {})
    } }
  } }
}
