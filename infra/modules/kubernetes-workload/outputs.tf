output "volume" {
  description = "The volume of a pod that holds its token for the broker, as in a manifest."
  value       = module.documents.volume
}

output "volume_mount" {
  description = "The mount of that volume in a container, as in a manifest."
  value       = module.documents.volume_mount
}

output "matches" {
  description = "For each service account, what a binding pins: its namespace and its name."
  value       = module.documents.matches
}
