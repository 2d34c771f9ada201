# Who is who, as far as everything stands in its place.

locals {
  most_bindings = 2000

  is_overlap_proved = var.overlap_proved_by == "plan" && length(local.mapped.bindings) <= local.most_bindings

  declared = { for name, audience in local.entries.audiences : name => { scopes = try([for scope in audience.scopes : scope], null) } if local.are_names_shaped }
  mapped = {
    identities = { for name, entry in local.entries.identities : name => entry if local.are_names_shaped }
    bindings   = { for name, entry in local.entries.bindings : name => entry if local.are_names_shaped }
  }

  too_many = var.overlap_proved_by == "check" || length(local.mapped.bindings) <= local.most_bindings ? [] : [
    "bindings: a plan proves that no two of up to ${local.most_bindings} collide, and here are ${length(local.mapped.bindings)}: run \"chancery check\" on the document before it is used, and say so with overlap_proved_by = \"check\" [overlap_unproven]"
  ]

  warnings = concat(
    [for name, audience in local.entries.audiences : "audiences[\"${name}\"].max_lifetime_seconds: tokens live ${audience.max_lifetime_seconds} s; clients that renew five minutes early, as Google's do, need ${local.catalogue.limits.short_lifetime_seconds} [lifetime_short]"
    if try(audience.max_lifetime_seconds < local.catalogue.limits.short_lifetime_seconds, false)],
    module.mapping.warnings,
    module.territory_conditions.warnings,
    module.delegated_grants.warnings,
    [for each in local.territory_choices : each.message if each.may_stand],
  )
}

module "mapping" {
  source            = "./mapping"
  catalogue         = local.catalogue
  trusted_issuers   = local.providers
  audiences         = local.declared
  identities        = local.mapped.identities
  bindings          = local.mapped.bindings
  is_overlap_proved = local.is_overlap_proved
}

# What may stand, and is to be looked at: a warning at plan, as "chancery check" warns.
check "advice" {
  assert {
    condition     = length(local.warnings) == 0
    error_message = join("\n", concat(["This may stand, and is to be looked at:"], local.warnings))
  }
}
