variable "issuer" {
  type        = string
  description = "Who the broker is, and whom proofs must be made for: an https URL."
  nullable    = false
}

variable "eks" {
  type        = object({ cluster_issuer = string, batch_role_arn = string })
  description = "`aws_eks_cluster.….identity[0].oidc[0].issuer`, and `aws_iam_role.….arn` of the role that the batch job runs as outside of the cluster."
  nullable    = false
}

variable "gke" {
  type        = object({ cluster_id = string, batch_unique_id = string })
  description = "`google_container_cluster.….id`, and `google_service_account.….unique_id` of the batch job's account."
  nullable    = false
}

variable "aks" {
  type        = object({ cluster_issuer = string, tenant_id = string, application_id_uri = string, batch_principal_id = string })
  description = "`azurerm_kubernetes_cluster.….oidc_issuer_url`, the tenant, the broker's application in it, and `azurerm_user_assigned_identity.….principal_id` of the batch job's identity."
  nullable    = false
}

variable "batch_scopes" {
  type        = list(string)
  default     = ["entries:read", "entries:write"]
  description = "What the batch job may do at the ledger."
  nullable    = false
}

variable "stand_ins" {
  type = object({
    insecure_hosts = optional(set(string), [])
    settings       = optional(any, {})
  })
  default     = {}
  description = "Where clouds are stand-ins, for development and tests: their hosts, and what their trusted issuers need beside, by name."
  nullable    = false
}
