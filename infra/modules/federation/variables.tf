variable "trust_domain" {
  type        = string
  description = "Where your identities are unique: `spiffe://<trust_domain>/<identity>`."
  nullable    = false
}

variable "proof_audiences" {
  type        = list(string)
  default     = null
  description = "Whom proofs must be made for: names of this broker alone. Its issuer by default."
}

variable "trusted_issuers" {
  type        = any
  description = "Whose proofs are taken, by a name of your choice."
  nullable    = false
  validation {
    condition     = can(keys(var.trusted_issuers))
    error_message = "trusted_issuers: this must be an object: entries by their names [shape]"
  }
}

variable "audiences" {
  type        = any
  default     = {}
  description = "Whom tokens may be for, with the scopes that each knows."
  nullable    = false
  validation {
    condition     = can(keys(var.audiences))
    error_message = "audiences: this must be an object: entries by their names [shape]"
  }
}

variable "identities" {
  type        = any
  default     = {}
  description = "Who there is, and what each may have; `preview/*` is every name below preview that a template makes."
  nullable    = false
  validation {
    condition     = can(keys(var.identities))
    error_message = "identities: this must be an object: entries by their names [shape]"
  }
}

variable "bindings" {
  type        = any
  default     = {}
  description = "Which proofs are for which identity."
  nullable    = false
  validation {
    condition     = can(keys(var.bindings))
    error_message = "bindings: this must be an object: entries by their names [shape]"
  }
}

variable "delegations" {
  type        = any
  default     = {}
  description = "Which teams have documents of their own, and what each may write in it."
  nullable    = false
  validation {
    condition     = can(keys(var.delegations))
    error_message = "delegations: this must be an object: entries by their names [shape]"
  }
}

variable "overlap_proved_by" {
  type        = string
  default     = "plan"
  description = "Who proves that no two bindings collide: `plan` for up to 2,000 bindings, or `check` where your pipeline runs `chancery check` on the document before it is used."
  nullable    = false
  validation {
    condition     = contains(["plan", "check"], var.overlap_proved_by)
    error_message = "overlap_proved_by is \"plan\" or \"check\"."
  }
}

variable "insecure_hosts" {
  type        = set(string)
  default     = []
  description = "`host:port` of stand-ins that may be plain http or private, as the broker's `--insecure-host` names them. For development and tests alone."
  nullable    = false
}
