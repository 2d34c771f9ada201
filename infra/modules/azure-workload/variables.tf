variable "display_name" {
  description = "The name of the application that stands for the broker."
  type        = string
  default     = "Chancery"
  nullable    = false
}

variable "identifier_uri" {
  description = "The id URI of that application, which workloads ask a token for."
  type        = string
  default     = "api://chancery"
  nullable    = false
}

variable "principals" {
  description = "Names and object ids of the managed identities that may have a token for the broker. Null lets every identity of the tenant have one: the binding decides who is who."
  type        = map(string)
  default     = null
}

variable "cloud" {
  description = "The cloud of the tenant: public, usgov or china."
  type        = string
  default     = "public"
  nullable    = false
}

variable "issuer" {
  description = "The broker's issuer, where applications of the tenant are to trust its tokens. Null where none is."
  type        = string
  default     = null
}

variable "token_audience" {
  description = "The audience of the broker's tokens that Entra takes: a name in the federation document's audiences."
  type        = string
  default     = "api://AzureADTokenExchange"
  nullable    = false
}

variable "applications" {
  description = "For each application that is to trust the broker's tokens, by its id (azuread_application.NAME.id), a name for each credential and the exact subject that may use it."
  type        = map(map(string))
  default     = {}
  nullable    = false
}
