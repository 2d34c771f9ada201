locals {
  pool     = "projects/${var.project_number}/locations/global/workloadIdentityPools/${var.pool_id}"
  audience = "//iam.googleapis.com/${local.pool}/providers/${var.provider_id}"

  # CEL. A subject has no character that a string of it would have to escape.
  attribute_condition = "assertion.sub in [${join(", ", [for subject in sort(var.subjects) : "'${subject}'"])}]"
}
