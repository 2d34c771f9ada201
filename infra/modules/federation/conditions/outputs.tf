output "problems" {
  value = concat(
    [for each in local.problems_by_name : each.problem],
    [for name, size in local.sizes : "${var.matches[name].path}.match: a binding may have one prefix [prefix_repeated]" if size.prefixes > 1],
    [for name, size in local.sizes : "${var.matches[name].path}.match: its lists make ${floor(size.combinations + 0.5)} combinations; at most ${local.limits.combinations} are allowed [match_too_large]"
    if size.prefixes <= 1 && size.combinations > local.limits.combinations + 0.5],
  )
  description = "What no proof of its cloud could meet, and lists that multiply too far."
}

output "warnings" {
  value = [for condition in local.known : "${condition.path}: ${local.facts[condition.attribute].caution} [attribute_cautioned]"
  if local.facts[condition.attribute].caution != ""]
  description = "Attributes that only some of a cloud's proofs have."
}

output "matches" {
  value = { for name, each in var.matches : name => tomap({
    for condition in try(local.whole[name], []) : condition.attribute => condition.values
    }) if !can(local.broken[name]) && (length(each.match) == 0 || can(local.sizes[name].prefixes <= 1)) && try(local.sizes[name].prefixes, 0) <= 1
  && try(local.sizes[name].combinations, 1) <= local.limits.combinations + 0.5 }
  description = "What is well made: by name, the values of each attribute, a prefix with its \"*\"."
}
