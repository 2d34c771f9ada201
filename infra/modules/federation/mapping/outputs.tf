output "identity_problems" {
  value       = local.identity_problems
  description = "What is wrong with identities."
}

output "binding_problems" {
  value       = concat(local.reference_problems, module.conditions.problems, local.pin_problems, local.template_problems)
  description = "What is wrong with bindings, each by itself."
}

output "overlap_problems" {
  value       = concat(local.overlap_problems, [for each in local.told : each.message if !each.is_warning])
  description = "Bindings that collide, and those between which a caller could choose."
}

output "warnings" {
  value       = concat(local.identity_warnings, module.conditions.warnings, [for each in local.told : each.message if each.is_warning])
  description = "What may stand, and is to be looked at."
}

output "entries" {
  value       = local.entries
  description = "The entry of identities that each binding leads to."
}
