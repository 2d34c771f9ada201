output "volume" {
  description = "The volume of a pod that holds its token for the broker, as in a manifest."
  value       = local.volume
}

output "volume_mount" {
  description = "The mount of that volume in a container, as in a manifest."
  value       = local.volume_mount
}

output "service_accounts" {
  description = "The service accounts, as manifests, by NAMESPACE/NAME."
  value       = local.service_accounts
}

output "matches" {
  description = "For each service account, what a binding pins: its namespace and its name."
  value = {
    for account, manifest in local.service_accounts : account => {
      "kubernetes.namespace"       = manifest.metadata.namespace
      "kubernetes.service_account" = manifest.metadata.name
    }
  }
}

output "authentication_configuration" {
  description = "The file, in YAML, that the API server reads by --authentication-config. Null without issuer."
  value       = var.issuer == null ? null : yamlencode(local.authentication_configuration)
}

output "users" {
  description = "For each subject, the user that RBAC names it by."
  value       = { for subject in var.subjects : subject => "${var.username_prefix}${subject}" }
}

output "audience" {
  description = "The entry of the federation document's audiences that the API server takes tokens of."
  value       = var.token_audience == null ? {} : { (var.token_audience) = {} }
}
