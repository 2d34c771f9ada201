variable "matches" {
  type        = any
  description = "What is to be read, by name: { path, provider, match }. Each match is of the right form."
  nullable    = false
}

variable "catalogue" {
  type        = any
  description = "What is in catalogue.json: read once, as reading takes its time."
  nullable    = false
}
