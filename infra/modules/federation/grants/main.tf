# Whether what is granted is declared.

locals {
  known   = [for grant in var.grants : merge(grant, { declared = try(var.audiences[grant.audience].scopes, null) }) if can(var.audiences[grant.audience])]
  unknown = [for grant in var.grants : grant if !can(var.audiences[grant.audience])]
}
