variable "proof_audience" {
  description = "Whom the workloads' identity tokens are made for: one of the federation document's proof_audiences."
  type        = string
  nullable    = false
}

variable "project_id" {
  description = "The project of the service accounts and of the pool."
  type        = string
  nullable    = false
}

variable "workloads" {
  description = "Service accounts to be made, one for each workload: the part of their address before the @, and what they are for."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "impersonators" {
  description = "For each workload, the members that may make identity tokens of its service account from elsewhere. Guard them as a signing key."
  type        = map(set(string))
  default     = {}
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.impersonators), keys(var.workloads))) == 0
    error_message = "impersonators: ${join(", ", setsubtract(keys(var.impersonators), keys(var.workloads)))} is not in workloads."
  }
}

variable "issuer" {
  description = "The broker's issuer, where Google Cloud is to trust its tokens. Null where it is not."
  type        = string
  default     = null
}

variable "pool_id" {
  description = "The id of the workload identity pool."
  type        = string
  default     = "chancery"
  nullable    = false
}

variable "provider_id" {
  description = "The id of the pool's provider for the broker."
  type        = string
  default     = "chancery"
  nullable    = false
}

variable "subjects" {
  description = "The exact subjects of the broker's tokens that Google Cloud is to trust, such as spiffe://corp.example/payments/api."
  type        = set(string)
  default     = []
  nullable    = false
}
