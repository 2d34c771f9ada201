# Which proofs are for whom: that everything named is there, and that no stranger could satisfy a binding.

locals {
  templates = { for name, binding in var.bindings : name => {
    attributes = [for found in regexall("\\{([^{}]+)\\}", binding.identity) : found[0]]
    # The segments before the first that is filled in, joined as far as each.
    fixed = try([for segment in split("/", split("{", binding.identity)[0]) : segment if segment != ""], [])
  } if strcontains(binding.identity, "{") }
  fixed_paths = { for name, template in local.templates : name => [
    for index in range(length(template.fixed)) : join("/", slice(template.fixed, 0, index + 1))
  ] }

  # The entry of identities that each binding's identity is given by.
  entries = { for name, binding in var.bindings : name => try(
    [for path in local.fixed_paths[name] : local.patterns[path] if can(local.patterns[path])][0],
    can(local.templates[name]) ? null : var.identities[binding.identity] == null ? null : binding.identity,
    null
  ) }

  bound = { for name, binding in var.bindings : name => merge(binding, { provider = var.trusted_issuers[binding.trusted_issuer] })
  if can(var.trusted_issuers[binding.trusted_issuer]) }

  reference_problems = concat(
    [for name, binding in var.bindings : "bindings[\"${name}\"].trusted_issuer: ${binding.trusted_issuer} is not one of the document's trusted issuers [trusted_issuer_unknown]"
    if !can(var.trusted_issuers[binding.trusted_issuer])],
    [for name, binding in var.bindings : "bindings[\"${name}\"].identity: ${can(local.templates[name])
      ? "${binding.identity} needs an entry of identities for all names below its fixed segments, such as \"preview/*\""
    : "${binding.identity} is not one of the document's identities"} [identity_unknown]" if local.entries[name] == null],
  )

  # By provider, what must be fixed in words.
  pins = { for provider, facts in var.catalogue.providers : provider => join(", or ", [for pin in facts.pins : join(" and ", pin)]) }
  unpinned = { for name, match in module.conditions.matches : name => local.bound[name].provider
  if !anytrue([for pin in var.catalogue.providers[local.bound[name].provider].pins : alltrue([for attribute in pin : can(match[attribute])])]) }
  pin_problems = [for name, provider in local.unpinned : "bindings[\"${name}\"].match: a stranger with the same issuer could satisfy this binding: it must fix ${local.pins[provider]} [pin_missing]"]

  template_attributes = flatten([for name, template in local.templates : [for attribute in template.attributes : {
    name      = name
    path      = "bindings[\"${name}\"].identity"
    attribute = attribute
    provider  = local.bound[name].provider
    values    = try([for value in module.conditions.matches[name][attribute] : endswith(value, "*") ? "${trimsuffix(value, "*")}0" : value], [])
    facts = try(
      var.catalogue.providers[local.bound[name].provider].attributes[attribute],
      [for family, facts in var.catalogue.providers[local.bound[name].provider].families : facts if startswith(attribute, family) && attribute != family][0],
      null
    )
  }] if can(local.bound[name])])

  template_problems = concat(
    [for each in local.template_attributes : "${each.path}: ${each.provider} proofs have no attribute ${each.attribute} to take [attribute_unknown]" if each.facts == null],
    [for each in local.template_attributes : "${each.path}: ${each.attribute} is the caller's to say, so that it could choose who it is [template_chosen]" if try(each.facts.grade, "") == "caller"],
    flatten([for each in local.template_attributes : [
      for value in each.values : "${each.path}: ${jsonencode(value)} makes no name: a segment is a-z, 0-9, \".\", \"_\" and \"-\", at most 63 of them [template_impossible]"
      if anytrue([for pattern in var.catalogue.segment.patterns : !can(regex(pattern, value))])
    ] if try(each.facts.grade, "") == "platform"]),
  )
}

module "conditions" {
  source    = "../conditions"
  catalogue = var.catalogue
  matches = { for name, binding in local.bound : name => {
    path     = "bindings[\"${name}\"]"
    provider = var.trusted_issuers[binding.trusted_issuer]
    match    = binding.match
  } }
}
