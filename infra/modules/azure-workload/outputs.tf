output "trusted_issuer" {
  description = "The entry of the federation document's trusted_issuers for the tenant."
  value       = module.documents.trusted_issuer
}

output "identifier_uri" {
  description = "What workloads ask a token for: resource at IMDS, scope with /.default at Entra."
  value       = var.identifier_uri
}

output "audience" {
  description = "The entry of the federation document's audiences that Entra takes tokens of."
  value       = module.documents.audience
}
