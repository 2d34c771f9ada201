# Who there is: what each may have, and that no name is given by two entries.

locals {
  limits = var.catalogue.limits

  claims = [for name, identity in var.identities : { path = "identities[\"${name}\"].claims", value = identity.claims } if can(keys(identity.claims))]

  # JSON as the broker measures it: Terraform writes five characters as escapes, and base64 tells bytes from characters.
  claims_in_base64 = [for claims in local.claims : base64encode(replace(replace(replace(replace(replace(
  jsonencode(claims.value), "\\u003c", "<"), "\\u003e", ">"), "\\u0026", "&"), "\\u2028", "\u2028"), "\\u2029", "\u2029"))]

  # The entries for all names below a path that a name lies below. None is named as another's path.
  paths    = { for name in keys(var.identities) : name => [for index, segment in split("/", name) : join("/", slice(split("/", name), 0, index + 1))] }
  patterns = { for name in keys(var.identities) : trimsuffix(name, "/*") => name if endswith(name, "/*") }
  nested = flatten([for name, paths in local.paths : [
    for path in paths : { name = name, pattern = local.patterns[path] } if path != name && try(local.patterns[path] != name, false)
  ]])

  identity_problems = concat(
    module.grants.problems,
    flatten([for claims in local.claims : [
      for name in keys(claims.value) : "${claims.path}.${name}: ${name} is set by the broker, or has a meaning that it may not give [claim_reserved]"
      if contains(var.catalogue.reserved_claims, name)
    ]]),
    [for index, claims in local.claims : "${claims.path}: claims are larger than 2 KiB of JSON [claims_too_large]"
    if length(local.claims_in_base64[index]) / 4 * 3 - length(regexall("=", local.claims_in_base64[index])) > local.limits.claims_bytes],
    [for each in local.nested : "identities[\"${each.name}\"]: ${each.name} lies below ${each.pattern}, so that a template could give it to somebody else: move one of them [identity_nested]"],
  )

  identity_warnings = concat(
    module.grants.warnings,
    [for name, identity in var.identities : "identities[\"${name}\"].lifetime_seconds: tokens live ${identity.lifetime_seconds} s; clients that renew five minutes early, as Google's do, need ${local.limits.short_lifetime_seconds} [lifetime_short]"
    if try(identity.lifetime_seconds < local.limits.short_lifetime_seconds, false)],
  )
}

module "grants" {
  source    = "../grants"
  audiences = var.audiences
  grants = flatten([for name, identity in var.identities : [
    for audience in try(keys(identity.grants), []) : {
      path     = "identities[\"${name}\"].grants[\"${audience}\"]"
      audience = audience
      scopes   = [for scope in identity.grants[audience] : scope]
    }
  ]])
}
