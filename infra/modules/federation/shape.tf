# Whether everything stands where the document's schema has a place for it, level by level. Trusted issuers have levels of their own:
# what a cloud tells only once it is there (a cluster's issuer) then hides nothing else from a plan.

module "issuers_1" {
  source    = "./schema"
  catalogue = local.catalogue
  nodes = [{ path = "", place = "", value = {
    trust_domain    = var.trust_domain
    proof_audiences = var.proof_audiences
    trusted_issuers = var.trusted_issuers
  } }]
}

module "issuers_2" {
  source    = "./schema"
  catalogue = local.catalogue
  nodes     = module.issuers_1.children
}

module "issuers_3" {
  source    = "./schema"
  catalogue = local.catalogue
  nodes     = module.issuers_2.children
}

module "issuers_4" {
  source    = "./schema"
  catalogue = local.catalogue
  nodes     = module.issuers_3.children
}

module "issuers_5" {
  source    = "./schema"
  catalogue = local.catalogue
  nodes     = module.issuers_4.children
}

module "names_1" {
  source    = "./schema"
  catalogue = local.catalogue
  nodes = [{ path = "", place = "", value = {
    trust_domain    = "stands-above"
    trusted_issuers = {}
    audiences       = var.audiences
    identities      = var.identities
    bindings        = var.bindings
    delegations     = var.delegations
  } }]
}

module "names_2" {
  source    = "./schema"
  catalogue = local.catalogue
  nodes     = local.entries_as_nodes
}

module "names_3" {
  source    = "./schema"
  catalogue = local.catalogue
  nodes     = module.names_2.children
}

locals {
  unknown_members = concat(
    module.issuers_1.unknown_members, module.issuers_2.unknown_members, module.issuers_3.unknown_members,
    module.issuers_4.unknown_members, module.issuers_5.unknown_members,
    module.names_1.unknown_members, module.names_2.unknown_members, module.names_3.unknown_members,
  )
  # As children of the first level they would go through a plan's books, which takes its time where there are thousands.
  entries_as_nodes = flatten([
    for section, entries in { audiences = var.audiences, identities = var.identities, bindings = var.bindings, delegations = var.delegations } : [
      for name in try(keys(entries), []) : { path = "${section}[\"${name}\"]", place = "${section}.*", value = entries[name] }
    ]
  ])

  issuer_shape_problems = concat(
    module.issuers_1.problems, module.issuers_2.problems, module.issuers_3.problems, module.issuers_4.problems,
    module.issuers_5.problems,
  )
  name_shape_problems = concat(module.names_1.problems, module.names_2.problems, module.names_3.problems)

  are_issuers_shaped = length(local.unknown_members) + length(local.issuer_shape_problems) == 0
  are_names_shaped   = length(local.unknown_members) + length(local.name_shape_problems) == 0 && local.is_every_provider_known

  # All that names need to know of trusted issuers.
  providers               = { for name in try(keys(var.trusted_issuers), []) : name => var.trusted_issuers[name].provider if can(local.catalogue.providers[var.trusted_issuers[name].provider]) }
  is_every_provider_known = try(length(local.providers) == length(var.trusted_issuers), false)
}
