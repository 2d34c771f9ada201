# Whether what is granted is declared.

locals {
  known   = [for grant in var.grants : merge(grant, { declared = try([for scope in var.audiences[grant.audience].scopes : scope], []) }) if can(var.audiences[grant.audience])]
  unknown = [for grant in var.grants : grant if !can(var.audiences[grant.audience])]
}
