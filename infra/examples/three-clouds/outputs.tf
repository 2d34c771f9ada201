output "documents" {
  value       = { "platform.json" = module.federation.document, "shop.json" = module.shop.document }
  description = "The documents, by the names of their files: what the broker module takes as `documents`."
}

output "subjects" {
  value       = { for name, identity in module.federation.identities : name => identity.spiffe_id if identity.spiffe_id != null }
  description = "For each identity, the `sub` of its tokens."
}

output "delegations" {
  value       = module.federation.delegations
  description = "What teams with a state of their own read, each its own."
}
