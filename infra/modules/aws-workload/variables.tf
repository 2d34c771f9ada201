variable "proof_audience" {
  description = "Whom the workloads' web-identity tokens are made for: one of the federation document's proof_audiences."
  type        = string
  nullable    = false
}

variable "proving_roles" {
  description = "Names of the roles whose workloads prove themselves by web-identity tokens. Signed requests need no permission."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "enable_outbound_federation" {
  description = "Turns outbound web identity federation on for the account, and off again when it is destroyed. Once an account; false where it is on already."
  type        = bool
  default     = false
  nullable    = false
}

variable "signing_algorithms" {
  description = "Algorithms that the workloads may ask STS to sign with: RS256, ES384 or both."
  type        = set(string)
  default     = ["RS256"]
  nullable    = false
}

variable "max_duration_seconds" {
  description = "Longest life of a web-identity token that the workloads may ask for, in seconds."
  type        = number
  default     = 300
  nullable    = false
}

variable "issuer" {
  description = "The broker's issuer, where roles of this account are to trust its tokens. Null where none is."
  type        = string
  default     = null
}

variable "token_audience" {
  description = "The audience of the broker's tokens that AWS takes: a name in the federation document's audiences."
  type        = string
  default     = "sts.amazonaws.com"
  nullable    = false
}

variable "roles" {
  description = "For each role to be made that trusts the broker's tokens, the exact subjects that may have it."
  type        = map(set(string))
  default     = {}
  nullable    = false
}
