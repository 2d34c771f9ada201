output "account" {
  description = "The entry of an AWS trusted issuer's accounts for this account."
  value = {
    (data.aws_caller_identity.this.account_id) = {
      for name, value in { web_identity_issuer = one(concat(
        aws_iam_outbound_web_identity_federation.this[*].issuer_identifier,
        data.aws_iam_outbound_web_identity_federation.this[*].issuer_identifier,
      )) } : name => value if value != null
    }
  }
}

output "audience" {
  description = "The entry of the federation document's audiences that AWS takes tokens of."
  value       = module.documents.audience
}

output "role_arns" {
  description = "For each role that trusts the broker's tokens, its ARN: AWS_ROLE_ARN, beside AWS_WEB_IDENTITY_TOKEN_FILE."
  value       = { for name, role in aws_iam_role.trusting : name => role.arn }
}
