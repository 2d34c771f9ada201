variable "trusted_issuers" {
  type        = map(string)
  description = "Whose proofs may be bound: the provider of each, by name."
  nullable    = false
}

variable "audiences" {
  type        = any
  description = "The audiences that there are: { scopes } by name."
  nullable    = false
}

variable "identities" {
  type        = any
  description = "Entries of the right form."
  nullable    = false
}

variable "bindings" {
  type        = any
  description = "Entries of the right form."
  nullable    = false
}

variable "is_overlap_proved" {
  type        = bool
  description = "Whether it is proved here that no two bindings collide."
  nullable    = false
}

variable "catalogue" {
  type        = any
  description = "What is in catalogue.json: read once, as reading takes its time."
  nullable    = false
}
