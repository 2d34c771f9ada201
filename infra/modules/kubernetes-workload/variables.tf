variable "proof_audience" {
  description = "Whom the pods' tokens are made for: one of the federation document's proof_audiences."
  type        = string
  nullable    = false
}

variable "service_accounts" {
  description = "Service accounts to be made, each as NAMESPACE/NAME: one for each workload."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "expiration_seconds" {
  description = "How long a pod's token is good for, in seconds."
  type        = number
  default     = 3600
  nullable    = false
}

variable "reviewer" {
  description = "An account, as NAMESPACE/NAME, that may review tokens: for a cluster other than the broker's own, whose token the broker is given. Null for none."
  type        = string
  default     = null
}
