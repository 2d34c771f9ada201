# Reads matches, as bindings and delegations have them: which attributes there are, and which values a platform could ever send.

locals {
  catalogue = jsondecode(file("${path.module}/../catalogue.json"))
  limits    = local.catalogue.limits

  no_form = { patterns = [], not_patterns = [] }

  conditions = flatten([for name, each in var.matches : [
    for attribute in keys(each.match) : {
      name      = name
      path      = "${each.path}.match[\"${attribute}\"]"
      provider  = each.provider
      attribute = attribute
      written   = try(tolist(each.match[attribute]), [for value in each.match[attribute] : value], [each.match[attribute]])
      # A family such as aws.principal_tags/ has an attribute for each name.
      facts = try(
        merge(local.no_form, local.catalogue.providers[each.provider].attributes[attribute]),
        [for family, facts in local.catalogue.providers[each.provider].families : merge(local.no_form, facts)
        if startswith(attribute, family) && attribute != family][0],
        null
      )
    }
  ]])

  # Values in the one spelling that they are compared in.
  known = [for condition in local.conditions : merge(condition, {
    values    = distinct([for value in condition.written : condition.facts.lower ? lower(value) : value])
    is_prefix = anytrue([for value in condition.written : strcontains(value, "*")])
  }) if condition.facts != null]

  unknown = [for condition in local.conditions : condition if condition.facts == null]

  # The attribute of the cloud that is a letter away, or lacks one.
  near = [for condition in local.unknown : [
    for candidate in local.catalogue.providers[condition.provider].names : candidate
    if length(setintersection(
      concat([condition.attribute], [for i in range(length(condition.attribute)) : join("", [substr(condition.attribute, 0, i), substr(condition.attribute, i + 1, -1)])]),
      concat([candidate], [for i in range(length(candidate)) : join("", [substr(candidate, 0, i), substr(candidate, i + 1, -1)])]),
    )) > 0
  ]]

  malformed = [for condition in local.known : condition if condition.is_prefix && (
    length(condition.values) > 1 || anytrue([for pattern in local.catalogue.prefix.patterns : !can(regex(pattern, condition.values[0]))])
  )]
  not_allowed = [for condition in local.known : condition if condition.is_prefix && !condition.facts.prefix]

  # A prefix stands for a value that it could be the beginning of.
  impossible = [for condition in local.known : merge(condition, {
    value = [for value in condition.values : value if length(value) > local.limits.value_length || anytrue(concat(
      [for pattern in condition.facts.patterns : !can(regex(pattern, condition.is_prefix ? "${trimsuffix(value, "*")}x" : value))],
      [for pattern in condition.facts.not_patterns : can(regex(pattern, condition.is_prefix ? "${trimsuffix(value, "*")}x" : value))],
    ))]
  }) if !contains(local.paths_of_prefix_problems, condition.path)]

  paths_of_prefix_problems = [for condition in concat(local.malformed, local.not_allowed) : condition.path]

  problems_by_name = concat(
    [for index, condition in local.unknown : { name = condition.name, problem = "${condition.path}: ${condition.provider} proofs have no such attribute: ${length(local.near[index]) == 0
      ? "they have ${join(", ", local.catalogue.providers[condition.provider].names)}"
    : "did you mean ${local.near[index][0]}?"} [attribute_unknown]" }],
    [for condition in local.malformed : { name = condition.name, problem = "${condition.path}: a \"*\" may only stand alone at the end of one prefix, after \"-\", \".\", \"_\" or \"/\" [prefix_malformed]" }],
    [for condition in local.not_allowed : { name = condition.name, problem = "${condition.path}: this attribute takes exact values only [prefix_not_allowed]" }
    if !contains([for each in local.malformed : each.path], condition.path)],
    [for condition in local.impossible : { name = condition.name, problem = "${condition.path}: ${jsonencode(condition.value[0])} is never what ${condition.attribute} has [value_impossible]" }
    if length(condition.value) > 0],
  )
  broken = { for each in local.problems_by_name : each.name => true... }

  # What stands on its own, to be measured whole.
  whole = { for condition in local.known : condition.name => condition... if !can(local.broken[condition.name]) }
  sizes = { for name, conditions in local.whole : name => {
    prefixes     = length([for condition in conditions : condition if condition.is_prefix])
    combinations = length(conditions) == 0 ? 1 : pow(10, sum([for condition in conditions : log(length(condition.values), 10)]))
  } }
}
