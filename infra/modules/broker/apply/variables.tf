variable "objects" {
  description = "The objects that the broker module gives."
  type        = any
  nullable    = false
}
