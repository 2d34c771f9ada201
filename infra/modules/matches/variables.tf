variable "aws_role_arns" {
  type        = map(string)
  default     = {}
  description = "ARNs of roles by names of your choice, as `aws_iam_role.….arn` gives them."
  nullable    = false
  validation {
    condition     = alltrue([for arn in values(var.aws_role_arns) : can(regex("^arn:(aws|aws-cn|aws-us-gov|aws-eusc):iam::[0-9]{12}:role/([!-.0-~]+/)*[0-9A-Za-z_+=,.@-]{1,64}$", arn))])
    error_message = "Not the ARN of an IAM role: ${join(", ", [for name, arn in var.aws_role_arns : "${name} = ${coalesce(arn, "null")}" if !can(regex("^arn:(aws|aws-cn|aws-us-gov|aws-eusc):iam::[0-9]{12}:role/([!-.0-~]+/)*[0-9A-Za-z_+=,.@-]{1,64}$", arn))])}. A session (arn:aws:sts::…:assumed-role/…) is named by its role."
  }
}

variable "gcp_unique_ids" {
  type        = map(string)
  default     = {}
  description = "Unique ids of service accounts, as `google_service_account.….unique_id` gives them."
  nullable    = false
  validation {
    condition     = alltrue([for id in values(var.gcp_unique_ids) : can(regex("^[1-9][0-9]{0,31}$", id))])
    error_message = "${join(", ", [for name, id in var.gcp_unique_ids : name if !can(regex("^[1-9][0-9]{0,31}$", id))])}: a unique id is all digits. An e-mail address can be given to somebody else once its account is gone."
  }
}

variable "azure_principal_ids" {
  type        = map(string)
  default     = {}
  description = "Principal ids of managed identities, as `azurerm_user_assigned_identity.….principal_id` gives them."
  nullable    = false
  validation {
    condition     = alltrue([for id in values(var.azure_principal_ids) : can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", lower(id)))])
    error_message = "${join(", ", [for name, id in var.azure_principal_ids : name if !can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", lower(id)))])}: a principal id is a GUID."
  }
}

variable "kubernetes_service_accounts" {
  type        = map(string)
  default     = {}
  description = "Service accounts as `NAMESPACE/NAME`, as `kubernetes_service_account_v1.….id` gives them."
  nullable    = false
  validation {
    condition     = alltrue([for id in values(var.kubernetes_service_accounts) : can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?/[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", id))])
    error_message = "${join(", ", [for name, id in var.kubernetes_service_accounts : name if !can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?/[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", id))])}: a service account is NAMESPACE/NAME."
  }
}

variable "gke_cluster_ids" {
  type        = map(string)
  default     = {}
  description = "GKE clusters as `projects/PROJECT/locations/LOCATION/clusters/NAME`, as `google_container_cluster.….id` gives them: GKE does not give their issuer."
  nullable    = false
  validation {
    condition     = alltrue([for id in values(var.gke_cluster_ids) : can(regex("^projects/[^/]+/locations/[^/]+/clusters/[^/]+$", id))])
    error_message = "${join(", ", [for name, id in var.gke_cluster_ids : name if !can(regex("^projects/[^/]+/locations/[^/]+/clusters/[^/]+$", id))])}: a GKE cluster is projects/PROJECT/locations/LOCATION/clusters/NAME."
  }
}
