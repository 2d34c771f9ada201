output "trusted_issuer" {
  description = "The entry of the federation document's trusted_issuers for the tenant."
  value = {
    for name, value in {
      provider        = "azure"
      cloud           = var.cloud == "public" ? null : var.cloud
      tenant_id       = lower(var.tenant_id)
      proof_audiences = [lower(var.client_id)]
    } : name => value if value != null
  }
}

output "application" {
  description = "How the application that stands for the broker has to be: sign_in_audience, identifier_uris and requested_access_token_version."
  value       = local.application
}

output "federated_credentials" {
  description = "What each application has to know of the broker: application_id, display_name, issuer, subject and audiences."
  value       = local.credentials
}

output "audience" {
  description = "The entry of the federation document's audiences that Entra takes tokens of: RS256 and JWT, as it takes nothing else."
  value       = { (var.token_audience) = { signing_alg = "RS256", token_type = "JWT" } }
}
