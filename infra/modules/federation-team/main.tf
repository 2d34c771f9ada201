# A team's own document: whatever the platform decides has no place in it.

locals {
  catalogue = jsondecode(file("${path.module}/../federation/catalogue.json"))

  # Null leaves a member out, but for conditions and claims.
  entries = {
    identities = { for name, entry in var.identities : name => try({ for key, value in entry : key => value if value != null }, null) }
    bindings   = { for name, entry in var.bindings : name => try({ for key, value in entry : key => value if value != null }, null) }
  }

  document = jsonencode(merge(
    { version = 1, delegation = var.delegation },
    { for section, entries in local.entries : section => entries if length(entries) > 0 },
  ))

  unknown_members = concat(module.names.unknown_members, module.entries.unknown_members)
  shape_problems = concat(
    module.names.problems,
    module.entries.problems,
    can(regex(local.catalogue.rules[local.catalogue.places["bindings.*"].members.trusted_issuer].patterns[0], var.delegation)) ? [] : ["delegation: ${jsonencode(var.delegation)} is no name of a delegation [shape]"],
  )
  is_shaped = length(local.unknown_members) + length(local.shape_problems) == 0

  problems = concat(
    local.unknown_members, local.shape_problems, local.delegation_problems,
    module.mapping.identity_problems, module.mapping.binding_problems, module.mapping.overlap_problems,
  )

  identities = { for name, entry in local.entries.identities : name => entry if local.is_shaped }
  bindings   = { for name, entry in local.entries.bindings : name => entry if local.is_shaped }

  # Where nobody says whose proofs a trusted issuer vouches for, the conditions do: an attribute begins with its cloud.
  clouds = { for name, binding in local.bindings : binding.trusted_issuer => try(split(".", keys(binding.match)[0])[0], "")... }
  providers = try(
    { for issuer, entry in var.delegated.trusted_issuers : issuer => entry.provider },
    { for issuer, clouds in local.clouds : issuer => clouds[0] if can(local.catalogue.providers[clouds[0]]) }
  )
  # What nobody declares here is the platform's to declare, and is told below.
  named = merge([for identity in local.identities : { for audience, scopes in try(identity.grants, {}) : audience => { scopes = null } }]...)
  listed = { for audience in keys(local.named) : audience => { scopes = distinct(flatten([
    for identity in local.identities : [for scope in try(identity.grants[audience], []) : scope]
  ])) } }
}

module "names" {
  source    = "../federation/schema"
  catalogue = local.catalogue
  nodes = [{ path = "", place = "", value = {
    trust_domain    = "stands-in-the-platform-document"
    trusted_issuers = {}
    identities      = var.identities
    bindings        = var.bindings
  } }]
}

module "entries" {
  source    = "../federation/schema"
  catalogue = local.catalogue
  nodes     = module.names.children
}

module "mapping" {
  source            = "../federation/mapping"
  catalogue         = local.catalogue
  trusted_issuers   = local.providers
  audiences         = merge(local.listed, try(var.delegated.audiences, {}))
  identities        = local.identities
  bindings          = { for name, binding in local.bindings : name => binding if can(local.providers[binding.trusted_issuer]) }
  is_overlap_proved = true
}

check "advice" {
  assert {
    condition     = length(module.mapping.warnings) == 0
    error_message = join("\n", concat(["This may stand, and is to be looked at:"], module.mapping.warnings))
  }
}
