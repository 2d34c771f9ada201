# What each team may write in a document of its own: no two may name one identity or bind one proof.

locals {
  delegations = { for name, entry in local.entries.delegations : name => merge(
    { trusted_issuers = {}, grants = {}, claims = [] }, entry, { path = "delegations[\"${name}\"]" }
  ) if local.are_names_shaped }

  territories = merge([for name, delegation in local.delegations : {
    for issuer, entry in delegation.trusted_issuers : jsonencode([name, issuer]) => {
      delegation = name
      issuer     = issuer
      path       = "${delegation.path}.trusted_issuers[\"${issuer}\"]"
      match      = entry.match
    }
  }]...)

  # Every path above each prefix, and the delegation whose prefix it is.
  by_prefix = { for name, delegation in local.delegations : delegation.identity_prefix => name... }
  inner = flatten([for name, delegation in local.delegations : [
    for index in range(length(split("/", delegation.identity_prefix)) - 1) : {
      name   = name
      prefix = "${join("/", slice(split("/", delegation.identity_prefix), 0, index + 1))}/"
    }
  ]])

  delegation_problems = concat(
    [for territory in values(local.territories) : "${territory.path}: ${territory.issuer} is not one of the document's trusted issuers [trusted_issuer_unknown]"
    if !can(local.providers[territory.issuer])],
    module.territory_conditions.problems,
    [for each in local.territory_choices : each.message if !each.may_stand],
    module.delegated_grants.problems,
    flatten([for delegation in local.delegations : [
      for index, claim in delegation.claims : "${delegation.path}.claims[${index}]: ${claim} is set by the broker, or has a meaning that it may not give [claim_reserved]"
      if contains(local.catalogue.reserved_claims, claim)
    ]]),
    flatten([for each in local.inner : [
      for outer in try(local.by_prefix[each.prefix], []) : "delegations[\"${each.name}\"].identity_prefix: ${outer} may name every identity below ${each.prefix}, and so these: no two delegations may name one [delegations_overlap]"
      if outer != each.name && (each.prefix != local.delegations[each.name].identity_prefix || sort([outer, each.name])[0] == outer)
    ]]),
    [for meeting in module.territory_meetings.meetings : "delegations[\"${local.territories[meeting.other].delegation}\"].trusted_issuers[\"${local.territories[meeting.other].issuer}\"].match: ${local.territories[meeting.one].delegation} and ${local.territories[meeting.other].delegation} may both bind some proofs: make their matches disjoint [delegations_overlap]"],
    [for issuer, count in module.territory_meetings.shapes : "trusted_issuers[\"${issuer}\"]: delegations use ${count} sets of its attributes; at most ${local.catalogue.limits.shapes} are allowed [shapes_too_many]"
    if count > local.catalogue.limits.shapes],
  )

  territory_choices = flatten([for key, match in module.territory_conditions.matches : [for attribute in keys(match) : {
    message   = "${local.territories[key].path}.match[\"${attribute}\"]: ${attribute} is the caller's to say, so that it could choose whose workload it is [caller_chooses]"
    may_stand = local.caller_grade[local.providers[local.territories[key].issuer]][attribute]
  } if can(local.caller_grade[local.providers[local.territories[key].issuer]][attribute])]])

  # By provider, the caller's attributes that delegations ask for, and whether each may decide.
  caller_grade = { for provider, facts in local.catalogue.providers : provider => merge(
    { for name, attribute in facts.attributes : name => attribute.may_decide if attribute.grade == "caller" },
    { for name in distinct(flatten([for match in values(module.territory_conditions.matches) : keys(match)])) : name => [
      for family, attribute in facts.families : attribute.may_decide if startswith(name, family) && attribute.grade == "caller"
    ][0] if anytrue([for family, attribute in facts.families : startswith(name, family) && attribute.grade == "caller"]) },
  ) }
}

module "territory_conditions" {
  source    = "./conditions"
  catalogue = local.catalogue
  matches = { for key, territory in local.territories : key => {
    path = territory.path, provider = local.providers[territory.issuer], match = territory.match
  } if can(local.providers[territory.issuer]) }
}

module "territory_meetings" {
  source = "./meetings"
  items  = { for key, match in module.territory_conditions.matches : key => { group = local.territories[key].issuer, label = key, match = match } }
}

module "delegated_grants" {
  source    = "./grants"
  audiences = local.declared
  grants = flatten([for delegation in local.delegations : [for audience in keys(delegation.grants) : {
    path     = "${delegation.path}.grants[\"${audience}\"]"
    audience = audience
    scopes   = [for scope in delegation.grants[audience] : scope]
  }]])
}
