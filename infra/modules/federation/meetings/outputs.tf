output "meetings" {
  value       = local.meetings
  description = "Every two that meet, once: { one, other, is_inside, is_around }; `is_inside` is whether `one` lies inside `other`. Two of one label are left out where they cannot be equal."
}

output "crowds" {
  value = [for rows in flatten([for table in local.tables_of_one : [for rows in values(table) : { names = [for row in rows : row.name] }]]) :
  rows.names if length(rows.names) > 1]
  description = "The names that meet by the same values of the same attributes."
}

output "shapes" {
  value       = { for group, names in local.by_group : group => length(names) }
  description = "How many shapes each group has."
}

output "is_complete" {
  value       = local.is_complete
  description = "Whether all was looked at. Where not, nothing was."
}
