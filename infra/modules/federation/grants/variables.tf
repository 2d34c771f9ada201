variable "grants" {
  type        = any
  description = "What is granted: a list of { path, audience, scopes }."
  nullable    = false
}

variable "audiences" {
  type        = any
  description = "The audiences that there are: { scopes } by name, null where an audience has none."
  nullable    = false
}
