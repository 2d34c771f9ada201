variable "delegation" {
  type        = string
  description = "Which of the platform document's delegations it is."
  nullable    = false
}

variable "delegated" {
  type        = any
  default     = null
  description = "What the delegation hands out: the entry of the federation module's output `delegations`, by remote state or as you like. Without it, a plan proves what can be proved of this document alone."
  validation {
    condition = var.delegated == null ? true : can([
      var.delegated.name, var.delegated.identity_prefix, var.delegated.claims, var.delegated.grants, var.delegated.audiences, var.delegated.trusted_issuers
    ])
    error_message = "delegated: this is no entry of the federation module's output delegations: take delegations[\"${var.delegation}\"] of it, and all of that."
  }
}

variable "identities" {
  type        = any
  default     = {}
  description = "Who there is below the delegation's prefix, and what each may have."
  nullable    = false
  validation {
    condition     = can(keys(var.identities))
    error_message = "identities: this must be an object: entries by their names [shape]"
  }
}

variable "bindings" {
  type        = any
  default     = {}
  description = "Which proofs are for which of them."
  nullable    = false
  validation {
    condition     = can(keys(var.bindings))
    error_message = "bindings: this must be an object: entries by their names [shape]"
  }
}
