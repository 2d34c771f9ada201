output "problems" {
  value = concat(
    [for grant in local.unknown : "${grant.path}: ${grant.audience} is not one of the document's audiences [audience_unknown]"],
    flatten([for grant in local.known : [
      for index, scope in grant.scopes : "${grant.path}[${index}]: ${scope} is not a scope of ${grant.audience} [scope_unknown]"
      if !contains(try([for each in grant.declared : each], []), scope)
    ]]),
    flatten([for grant in local.known : [
      for index, scope in grant.scopes : "${grant.path}[${index}]: ${scope} stands in the list twice [scope_repeated]"
      if contains(slice(grant.scopes, 0, index), scope) && contains(try([for each in grant.declared : each], []), scope)
    ]]),
  )
  description = "Grants of what is not declared, and scopes that stand in a list twice."
}

output "warnings" {
  value = [for grant in local.known : "${grant.path}: ${grant.audience} has scopes and this grant names none of them [grant_without_scope]"
  if length(grant.declared) > 0 && length(grant.scopes) == 0]
  description = "Grants that give nothing."
}
