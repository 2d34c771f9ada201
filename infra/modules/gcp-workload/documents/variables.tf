variable "proof_audience" {
  description = "Whom the workloads' identity tokens are made for: one of the federation document's proof_audiences."
  type        = string
  nullable    = false

  validation {
    condition     = length(var.proof_audience) > 0 && length(regexall("[&#%+[:space:]]", var.proof_audience)) == 0
    error_message = "proof_audience: Google's libraries do not encode it on its way to the metadata server: leave out &, #, %, + and spaces."
  }
}

variable "project_number" {
  description = "The number of the project that the pool is in."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]+$", var.project_number))
    error_message = "project_number: the number, as google_project.NAME.number has it, and not the id."
  }
}

variable "issuer" {
  description = "The broker's issuer, where Google Cloud is to trust its tokens. Null where it is not."
  type        = string
  default     = null

  validation {
    condition     = var.issuer == null ? true : can(regex("^https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(/[A-Za-z0-9._~-]+)*$", var.issuer))
    error_message = "issuer: an https URL without a port, a query and a final slash, compared as written."
  }
}

variable "pool_id" {
  description = "The id of the workload identity pool."
  type        = string
  default     = "chancery"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9-]{4,32}$", var.pool_id)) && !startswith(var.pool_id, "gcp-")
    error_message = "pool_id: 4 to 32 of a to z, 0 to 9 and -, and not gcp- in front."
  }
}

variable "provider_id" {
  description = "The id of the pool's provider for the broker."
  type        = string
  default     = "chancery"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9-]{4,32}$", var.provider_id)) && !startswith(var.provider_id, "gcp-")
    error_message = "provider_id: 4 to 32 of a to z, 0 to 9 and -, and not gcp- in front."
  }
}

variable "subjects" {
  description = "The exact subjects of the broker's tokens that Google Cloud is to trust, such as spiffe://corp.example/payments/api."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = var.issuer == null || length(var.subjects) > 0
    error_message = "subjects: the pool would be open to every workload: name them."
  }
  validation {
    condition     = alltrue([for subject in var.subjects : can(regex("^spiffe://[a-z0-9._-]+(/[a-z0-9][a-z0-9._-]{0,62})+$", subject))])
    error_message = "subjects: ${join(", ", [for subject in var.subjects : subject if !can(regex("^spiffe://[a-z0-9._-]+(/[a-z0-9][a-z0-9._-]{0,62})+$", subject))])} is no subject of the broker's tokens, which is spiffe://, the trust domain, / and an identity, without a pattern."
  }
  validation {
    condition     = alltrue([for subject in var.subjects : length(subject) <= 127])
    error_message = "subjects: Google takes up to 127 characters as google.subject, and ${join(", ", [for subject in var.subjects : subject if length(subject) > 127])} is longer: give the identity a shorter name."
  }
}
