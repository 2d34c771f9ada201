# From what the clouds' own resources give to the match of a binding. What comes out is written as anybody would write it.

locals {
  arns = { for name, arn in var.aws_role_arns : name => split(":", arn) }
}
