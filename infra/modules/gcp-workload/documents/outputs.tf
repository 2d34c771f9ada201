output "pool_provider" {
  description = "What the pool has to know of the broker: issuer_uri, allowed_audiences, attribute_mapping and attribute_condition. Null without issuer."
  value = var.issuer == null ? null : {
    issuer_uri          = var.issuer
    allowed_audiences   = [local.audience]
    attribute_mapping   = { "google.subject" = "assertion.sub" }
    attribute_condition = local.attribute_condition
  }

  precondition {
    condition     = length(local.attribute_condition) <= 4096
    error_message = "subjects: Google takes conditions of up to 4,096 characters, and this one has ${length(local.attribute_condition)}: make another pool for some of the ${length(var.subjects)} subjects."
  }
}

output "members" {
  description = "For each subject, the member that IAM policies of Google Cloud name it by."
  value       = { for subject in var.subjects : subject => "principal://iam.googleapis.com/${local.pool}/subject/${subject}" }
}

output "audience" {
  description = "The entry of the federation document's audiences that Google Cloud takes tokens of."
  value       = { (local.audience) = { token_type = "JWT" } }
}

output "token_url" {
  description = "Where a workload gets its identity token on Compute Engine, Cloud Run, Functions and App Engine, with the header Metadata-Flavor: Google."
  value       = "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/identity?format=full&audience=${var.proof_audience}"
}
