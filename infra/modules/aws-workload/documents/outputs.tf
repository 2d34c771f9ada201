output "proof_policy" {
  description = "The policy, in JSON, that lets a role make web-identity tokens for the broker and for nobody else."
  value       = jsonencode(local.proof_policy)
}

output "trust_policies" {
  description = "For each role, the trust policy, in JSON, that takes the broker's tokens of exactly its subjects."
  value       = { for role, policy in local.trust_policies : role => jsonencode(policy) }

  precondition {
    condition     = alltrue([for policy in values(local.trust_policies) : length(jsonencode(policy)) <= 2048])
    error_message = "roles: AWS takes trust policies of up to 2,048 characters, and that of ${join(", ", [for role, policy in local.trust_policies : role if length(jsonencode(policy)) > 2048])} is longer: give it fewer subjects."
  }
}

output "oidc_provider" {
  description = "What the account has to know of the broker: url, client_id_list and the arn that the provider will have. Null without issuer."
  value = var.issuer == null ? null : {
    url            = var.issuer
    client_id_list = [var.token_audience]
    arn            = local.provider_arn
  }
}

output "audience" {
  description = "The entry of the federation document's audiences that AWS takes tokens of."
  value       = { (var.token_audience) = { token_type = "JWT" } }
}
