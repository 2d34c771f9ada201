variable "proof_audience" {
  description = "Whom the pods' tokens are made for: one of the federation document's proof_audiences."
  type        = string
  nullable    = false

  validation {
    condition     = length(var.proof_audience) > 0
    error_message = "proof_audience: without one, the token would be for the API server."
  }
  validation {
    condition     = !startswith(var.proof_audience, "https://kubernetes.default.svc") && !contains(["api", "vault", "sts.amazonaws.com", "pods.eks.amazonaws.com", "api://AzureADTokenExchange"], var.proof_audience)
    error_message = "proof_audience: ${var.proof_audience} belongs to somebody else, so that the broker refuses it. Use a name of your own, such as the issuer's URL."
  }
}

variable "expiration_seconds" {
  description = "How long a pod's token is good for. The kubelet renews it at four fifths; whoever steals it has that long."
  type        = number
  default     = 3600
  nullable    = false

  validation {
    condition     = var.expiration_seconds >= 600 && var.expiration_seconds <= 86400 && floor(var.expiration_seconds) == var.expiration_seconds
    error_message = "expiration_seconds: Kubernetes gives no less than 600 seconds, and the broker takes no more than 86,400."
  }
}

variable "mount_path" {
  description = "Where the token's directory is mounted in the pod; the client looks for it there by itself."
  type        = string
  default     = "/var/run/secrets/chancery"
  nullable    = false

  validation {
    condition     = startswith(var.mount_path, "/") && !startswith(var.mount_path, "/var/run/secrets/kubernetes.io")
    error_message = "mount_path: an absolute path, and not where the API server's token lies."
  }
}

variable "service_accounts" {
  description = "Service accounts to be made, each as NAMESPACE/NAME: one for each workload."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for account in var.service_accounts : can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?/[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$", account))])
    error_message = "service_accounts: ${join(", ", [for account in var.service_accounts : account if !can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?/[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$", account))])} is not NAMESPACE/NAME."
  }
  validation {
    condition     = alltrue([for account in var.service_accounts : !endswith(account, "/default")])
    error_message = "service_accounts: default is every pod's that names none: give the workload an account of its own."
  }
}

variable "issuer" {
  description = "The broker's issuer, where the API server is to trust its tokens. Null where it is not."
  type        = string
  default     = null

  validation {
    condition     = var.issuer == null ? true : can(regex("^https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(/[A-Za-z0-9._~-]+)*$", var.issuer))
    error_message = "issuer: an https URL without a port, a query and a final slash, compared as written."
  }
}

variable "token_audience" {
  description = "The audience of the broker's tokens that the API server takes: a name in the federation document's audiences, and one for each cluster."
  type        = string
  default     = null

  validation {
    condition     = var.issuer == null ? true : length(coalesce(var.token_audience, " ")) > 1
    error_message = "token_audience: needed with issuer, and another one for each cluster: a token for one must not work at the next."
  }
}

variable "subjects" {
  description = "The exact subjects of the broker's tokens that the API server takes, such as spiffe://corp.example/payments/api."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = var.issuer == null || length(var.subjects) > 0
    error_message = "subjects: the API server would authenticate every workload: name them."
  }
  validation {
    condition     = alltrue([for subject in var.subjects : can(regex("^spiffe://[a-z0-9._-]+(/[a-z0-9][a-z0-9._-]{0,62})+$", subject))])
    error_message = "subjects: ${join(", ", [for subject in var.subjects : subject if !can(regex("^spiffe://[a-z0-9._-]+(/[a-z0-9][a-z0-9._-]{0,62})+$", subject))])} is no subject of the broker's tokens, which is spiffe://, the trust domain, / and an identity, without a pattern."
  }
}

variable "username_prefix" {
  description = "What stands in front of a subject to be a user's name in RBAC."
  type        = string
  default     = "chancery:"
  nullable    = false

  validation {
    condition     = length(var.username_prefix) > 0 && !startswith(var.username_prefix, "system:")
    error_message = "username_prefix: something, so that no subject can be a user of another authenticator, and not system:, which is Kubernetes' own."
  }
}

variable "authentication_api_version" {
  description = "The version of AuthenticationConfiguration: v1 since Kubernetes 1.34, v1beta1 since 1.30."
  type        = string
  default     = "v1"
  nullable    = false

  validation {
    condition     = contains(["v1", "v1beta1"], var.authentication_api_version)
    error_message = "authentication_api_version: v1 or v1beta1."
  }
}
