variable "nodes" {
  type        = any
  description = "Objects to be checked: a list of { path, place, value }. `path` is how messages call it, `place` its entry in ../catalogue.json."
  nullable    = false
}
