# Reads matches, as bindings and delegations have them: which attributes there are, and which values a platform could ever send.

locals {
  limits = var.catalogue.limits

  conditions = flatten([for name, each in var.matches : [
    for attribute in keys(each.match) : {
      name      = name
      path      = "${each.path}.match[\"${attribute}\"]"
      provider  = each.provider
      attribute = attribute
      written   = try(tolist(each.match[attribute]), [for value in each.match[attribute] : value], [each.match[attribute]])
    }
  ]])

  # What is known of each attribute that is asked for. A family such as aws.principal_tags/ has an attribute for each name.
  asked_for = { for condition in local.conditions : condition.attribute => condition.provider... }
  facts = { for attribute, providers in local.asked_for : attribute => try(
    var.catalogue.providers[split(".", attribute)[0]].attributes[attribute],
    [for family, facts in var.catalogue.providers[split(".", attribute)[0]].families : facts if startswith(attribute, family) && attribute != family][0],
    null
  ) }

  # Values in the one spelling that they are compared in.
  known = [for condition in local.conditions : {
    name      = condition.name
    path      = condition.path
    attribute = condition.attribute
    values    = distinct([for value in condition.written : local.facts[condition.attribute].lower ? lower(value) : value])
    is_prefix = anytrue([for value in condition.written : strcontains(value, "*")])
  } if try(local.facts[condition.attribute].lower, null) != null && startswith(condition.attribute, "${condition.provider}.")]

  unknown = [for condition in local.conditions : condition
  if try(local.facts[condition.attribute].lower, null) == null || !startswith(condition.attribute, "${condition.provider}.")]

  # The attribute of the cloud that is a letter away, or lacks one.
  near = [for condition in local.unknown : [
    for candidate in var.catalogue.providers[condition.provider].names : candidate
    if length(setintersection(
      concat([condition.attribute], [for i in range(min(length(condition.attribute), 200)) : join("", [substr(condition.attribute, 0, i), substr(condition.attribute, i + 1, -1)])]),
      concat([candidate], [for i in range(length(candidate)) : join("", [substr(candidate, 0, i), substr(candidate, i + 1, -1)])]),
    )) > 0
  ]]

  prefixes = [for condition in local.known : condition if condition.is_prefix]
  malformed = [for condition in local.prefixes : condition if length(condition.values) > 1
  || anytrue([for pattern in var.catalogue.prefix.patterns : !can(regex(pattern, condition.values[0]))])]
  not_allowed              = [for condition in local.prefixes : condition if !local.facts[condition.attribute].prefix]
  paths_of_prefix_problems = { for condition in concat(local.malformed, local.not_allowed) : condition.path => true... }

  # A prefix stands for a value that it could be the beginning of. Each pattern is read once, for all values that must have it, a line
  # each: where as many lines have it as there are values, all of them do.
  examples = flatten([for condition in local.known : [for value in condition.values : {
    name      = condition.name
    path      = condition.path
    attribute = condition.attribute
    value     = condition.is_prefix ? "${trimsuffix(value, "*")}x" : value
  }] if !can(local.paths_of_prefix_problems[condition.path])])
  by_attribute = { for example in local.examples : example.attribute => example.value... }
  suspicious = { for attribute, values in local.by_attribute : attribute => true if length(local.facts[attribute].not_patterns) > 0
    || length(split("\n", join("\n", values))) != length(values)
  || anytrue([for pattern in local.facts[attribute].patterns : length(regexall("(?m:${pattern})", join("\n", values))) != length(values)]) }
  impossible = [for example in local.examples : example if length(example.value) > local.limits.value_length || anytrue(concat(
    [for pattern in can(local.suspicious[example.attribute]) ? local.facts[example.attribute].patterns : [] : !can(regex(pattern, example.value))],
    [for pattern in local.facts[example.attribute].not_patterns : can(regex(pattern, example.value))],
  ))]

  problems_by_name = concat(
    [for index, condition in local.unknown : { name = condition.name, problem = "${condition.path}: ${condition.provider} proofs have no such attribute: ${length(local.near[index]) == 0
      ? "they have ${join(", ", var.catalogue.providers[condition.provider].names)}"
    : "did you mean ${local.near[index][0]}?"} [attribute_unknown]" }],
    [for condition in local.malformed : { name = condition.name, problem = "${condition.path}: a \"*\" may only stand alone at the end of one prefix, after \"-\", \".\", \"_\" or \"/\" [prefix_malformed]" }],
    [for condition in local.not_allowed : { name = condition.name, problem = "${condition.path}: this attribute takes exact values only [prefix_not_allowed]" }
    if !contains([for each in local.malformed : each.path], condition.path)],
    [for example in local.impossible : { name = example.name, problem = "${example.path}: ${jsonencode(example.value)} is never what ${example.attribute} has [value_impossible]" }],
  )
  broken = { for each in local.problems_by_name : each.name => true... }

  # What stands on its own, to be measured whole.
  whole = { for condition in local.known : condition.name => condition... if !can(local.broken[condition.name]) }
  sizes = { for name, conditions in local.whole : name => {
    prefixes     = length([for condition in conditions : condition if condition.is_prefix])
    combinations = length(conditions) == 0 ? 1 : pow(10, sum([for condition in conditions : log(length(condition.values), 10)]))
  } }
}
