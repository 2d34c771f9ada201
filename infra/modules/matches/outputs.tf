output "aws" {
  value = { for name, parts in local.arns : name => {
    "aws.account_id" = parts[4]
    # A name is one role's in its account, whatever the path; and no signed request says the path.
    "aws.role_name" = reverse(split("/", parts[5]))[0]
  } }
  description = "The match of each role: account and name."
}

output "gcp" {
  value       = { for name, id in var.gcp_unique_ids : name => { "gcp.subject" = id } }
  description = "The match of each service account of Google Cloud."
}

output "azure" {
  value       = { for name, id in var.azure_principal_ids : name => { "azure.object_id" = lower(id) } }
  description = "The match of each managed identity."
}

output "kubernetes" {
  value = { for name, id in var.kubernetes_service_accounts : name => {
    "kubernetes.namespace"       = split("/", id)[0]
    "kubernetes.service_account" = split("/", id)[1]
  } }
  description = "The match of each Kubernetes service account."
}

output "gke_issuers" {
  value       = { for name, id in var.gke_cluster_ids : name => "https://container.googleapis.com/v1/${id}" }
  description = "The issuer of each GKE cluster. EKS and AKS give theirs: `identity[0].oidc[0].issuer` and `oidc_issuer_url`."
}
