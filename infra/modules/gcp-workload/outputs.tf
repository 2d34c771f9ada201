output "subjects" {
  description = "For each workload, the gcp.subject that a binding pins: the unique id of its service account."
  value       = { for name, account in google_service_account.workload : name => account.unique_id }
}

output "emails" {
  description = "For each workload, the address of its service account, to run it as."
  value       = { for name, account in google_service_account.workload : name => account.email }
}

output "members" {
  description = "For each subject of the broker's tokens, the member that IAM policies name it by."
  value       = module.documents.members
}

output "audience" {
  description = "The entry of the federation document's audiences that Google Cloud takes tokens of."
  value       = module.documents.audience
}
