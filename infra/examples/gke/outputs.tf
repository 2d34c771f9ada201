output "volume" {
  description = "What the pod of payments/api mounts to prove itself."
  value       = module.who_is_who.volume
}

output "batch_account" {
  description = "The service account that the batch job is run as."
  value       = module.gcp.emails["payments-batch"]
}

output "members" {
  description = "The members that IAM policies of Google Cloud name workloads by."
  value       = module.gcp.members
}
