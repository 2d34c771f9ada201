output "unknown_members" {
  value       = local.unknown_members
  description = "Keys that the document does not have. Known before the values are."
}

output "problems" {
  value       = concat(local.not_objects, local.missing, local.wrong_kinds, local.wrong_texts, local.wrong_numbers, local.wrong_lists)
  description = "Everything else that is not of the right form."
}

output "children" {
  value = concat(
    [for member in local.members : { path = member.path, place = local.rules[member.rule].place, value = member.value } if local.rules[member.rule].place != ""],
    flatten([for member in local.records : [
      for name, value in member.value : { path = "${member.path}[\"${name}\"]", place = local.rules[member.rule].each, value = value }
    ] if local.rules[member.rule].each != ""]),
  )
  description = "The objects below, for the next level."
}
