# What reaches beyond the delegation.

locals {
  is_delegated = var.delegated != null

  outside = { for name, identity in local.identities : name => identity if local.is_delegated }
  grants = flatten([for name, identity in local.outside : [for audience in keys(try(identity.grants, {})) : {
    path     = "identities[\"${name}\"].grants[\"${audience}\"]"
    audience = audience
    scopes   = [for scope in identity.grants[audience] : scope]
  }]])

  delegation_problems = concat(
    !local.is_delegated || try(var.delegated.name == var.delegation, false) ? [] : ["delegated: this is not what ${var.delegation} was handed: take the federation module's delegations[\"${var.delegation}\"] [delegation_unknown]"],
    [for name, identity in local.outside : "identities[\"${name}\"]: identities of ${var.delegation} are named ${var.delegated.identity_prefix}... [identity_outside_delegation]"
    if !try(startswith(name, var.delegated.identity_prefix), false)],
    [for grant in local.grants : "${grant.path}: ${var.delegation} may not grant ${grant.audience} [audience_outside_delegation]"
    if !can(var.delegated.grants[grant.audience])],
    flatten([for grant in local.grants : [
      for index, scope in grant.scopes : "${grant.path}[${index}]: ${var.delegation} may not grant ${scope} [scope_outside_delegation]"
      if try(!contains(var.delegated.grants[grant.audience], scope) && contains(var.delegated.audiences[grant.audience].scopes, scope), false)
    ]]),
    flatten([for name, identity in local.outside : [
      for claim in keys(try(identity.claims, {})) : "identities[\"${name}\"].claims.${claim}: ${var.delegation} may not set ${claim} [claim_outside_delegation]"
      if !try(contains(var.delegated.claims, claim), false)
    ]]),
    [for name, binding in local.bindings : "bindings[\"${name}\"].trusted_issuer: ${var.delegation} may not bind proofs of ${binding.trusted_issuer} [trusted_issuer_outside_delegation]"
    if local.is_delegated && !can(local.providers[binding.trusted_issuer])],
    flatten([for name, match in module.conditions.matches : [
      for attribute, outer in var.delegated.trusted_issuers[local.bindings[name].trusted_issuer].match :
      "bindings[\"${name}\"].match: bindings of ${var.delegation} must have ${attribute} ${join(" or ", outer)}, or less [match_outside_delegation]"
      if !try(alltrue([for value in match[attribute] : contains(outer, value) || (endswith(outer[0], "*") && startswith(value, trimsuffix(outer[0], "*")))]), false)
    ]]),
  )
}

module "conditions" {
  source    = "../federation/conditions"
  catalogue = local.catalogue
  matches = { for name, binding in local.bindings : name => {
    path = "bindings[\"${name}\"]", provider = local.providers[binding.trusted_issuer], match = binding.match
  } if local.is_delegated && can(local.providers[binding.trusted_issuer]) }
}
