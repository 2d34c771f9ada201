# Thin: what is decided is decided in ./documents, which needs no provider.

module "documents" {
  source = "./documents"

  proof_audience     = var.proof_audience
  service_accounts   = setunion(var.service_accounts, var.reviewer == null ? [] : [var.reviewer])
  expiration_seconds = var.expiration_seconds
}

resource "kubernetes_service_account_v1" "this" {
  for_each = module.documents.service_accounts

  metadata {
    namespace = each.value.metadata.namespace
    name      = each.value.metadata.name
  }

  automount_service_account_token = each.value.automountServiceAccountToken
}

resource "kubernetes_cluster_role_v1" "reviewer" {
  count = var.reviewer == null ? 0 : 1

  metadata {
    name = "chancery-reviewer"
  }

  rule {
    api_groups = ["authentication.k8s.io"]
    resources  = ["tokenreviews"]
    verbs      = ["create"]
  }
}

resource "kubernetes_cluster_role_binding_v1" "reviewer" {
  count = var.reviewer == null ? 0 : 1

  metadata {
    name = "chancery-reviewer"
  }

  role_ref {
    api_group = "rbac.authorization.k8s.io"
    kind      = "ClusterRole"
    name      = kubernetes_cluster_role_v1.reviewer[0].metadata[0].name
  }

  subject {
    kind      = "ServiceAccount"
    namespace = module.documents.service_accounts[var.reviewer].metadata.namespace
    name      = module.documents.service_accounts[var.reviewer].metadata.name
  }
}
