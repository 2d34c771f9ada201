variable "items" {
  type        = any
  description = "What may meet, by name: { group, label, match }, each match well made. Items of two groups never meet."
  nullable    = false
}

variable "most_cells" {
  type        = number
  default     = 50000
  description = "Combinations of values that are looked at. With more, nothing is."
  nullable    = false
}

variable "most_meetings" {
  type        = number
  default     = 100000
  description = "Pairs that are looked at. With more, nothing is."
  nullable    = false
}
