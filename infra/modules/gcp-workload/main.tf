# Thin: what is decided is decided in ./documents, which needs no provider.

data "google_project" "this" {
  project_id = var.project_id
}

module "documents" {
  source = "./documents"

  proof_audience = var.proof_audience
  project_number = data.google_project.this.number
  issuer         = var.issuer
  pool_id        = var.pool_id
  provider_id    = var.provider_id
  subjects       = var.subjects
}

resource "google_service_account" "workload" {
  for_each = var.workloads

  project      = var.project_id
  account_id   = each.key
  display_name = each.value
}

locals {
  impersonations = merge([
    for workload, members in var.impersonators : { for member in members : "${workload} ${member}" => { workload = workload, member = member } }
  ]...)
}

resource "google_service_account_iam_member" "impersonator" {
  for_each = local.impersonations

  service_account_id = google_service_account.workload[each.value.workload].name
  role               = "roles/iam.serviceAccountOpenIdTokenCreator"
  member             = each.value.member
}

resource "google_iam_workload_identity_pool" "broker" {
  count = var.issuer == null ? 0 : 1

  project                   = var.project_id
  workload_identity_pool_id = var.pool_id
  display_name              = "Chancery"
}

resource "google_iam_workload_identity_pool_provider" "broker" {
  count = var.issuer == null ? 0 : 1

  project                            = var.project_id
  workload_identity_pool_id          = google_iam_workload_identity_pool.broker[0].workload_identity_pool_id
  workload_identity_pool_provider_id = var.provider_id
  attribute_mapping                  = module.documents.pool_provider.attribute_mapping
  attribute_condition                = module.documents.pool_provider.attribute_condition

  oidc {
    issuer_uri        = module.documents.pool_provider.issuer_uri
    allowed_audiences = module.documents.pool_provider.allowed_audiences
  }
}
