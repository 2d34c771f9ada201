variable "nodes" {
  type        = any
  description = "Objects to be checked: a list of { path, place, value }. `path` is how messages call it, `place` its entry in ../catalogue.json."
  nullable    = false
}

variable "catalogue" {
  type        = any
  description = "What is in catalogue.json: read once, as reading takes its time."
  nullable    = false
}
