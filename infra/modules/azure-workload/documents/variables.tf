variable "tenant_id" {
  description = "The tenant of the workloads, by its GUID."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", lower(var.tenant_id)))
    error_message = "tenant_id: a GUID."
  }
}

variable "client_id" {
  description = "The client id of the application that stands for the broker: the one aud of its tokens of version 2."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", lower(var.client_id)))
    error_message = "client_id: a GUID."
  }
}

variable "identifier_uri" {
  description = "The id URI of that application, which workloads ask a token for."
  type        = string
  default     = "api://chancery"
  nullable    = false

  validation {
    condition     = can(regex("^(api|https)://[A-Za-z0-9._~/-]*[A-Za-z0-9_~-]$", var.identifier_uri))
    error_message = "identifier_uri: api:// or https:// and a name, without a final slash."
  }
  validation {
    condition     = !startswith(lower(var.identifier_uri), "api://azureadtokenexchange") && length(regexall("(?i)^https://([a-z0-9-]+\\.)*(azure|microsoft|windows)\\.(com|net)(/|$)", var.identifier_uri)) == 0
    error_message = "identifier_uri: ${var.identifier_uri} belongs to Microsoft, so that the broker refuses it."
  }
}

variable "cloud" {
  description = "The cloud of the tenant: public, usgov or china."
  type        = string
  default     = "public"
  nullable    = false

  validation {
    condition     = contains(["public", "usgov", "china"], var.cloud)
    error_message = "cloud: public, usgov or china."
  }
}

variable "issuer" {
  description = "The broker's issuer, where applications of the tenant are to trust its tokens. Null where none is."
  type        = string
  default     = null

  validation {
    condition     = var.issuer == null ? true : can(regex("^https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(/[A-Za-z0-9._~-]+)*$", var.issuer)) && length(var.issuer) <= 600
    error_message = "issuer: an https URL of up to 600 characters without a port, a query and a final slash, compared as written."
  }
}

variable "token_audience" {
  description = "The audience of the broker's tokens that Entra takes: a name in the federation document's audiences."
  type        = string
  default     = "api://AzureADTokenExchange"
  nullable    = false

  validation {
    condition     = length(var.token_audience) >= 1 && length(var.token_audience) <= 600
    error_message = "token_audience: Entra takes 1 to 600 characters."
  }
}

variable "applications" {
  description = "For each application that is to trust the broker's tokens, by its id (/applications/…), a name for each credential and the exact subject that may use it."
  type        = map(map(string))
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for credentials in values(var.applications) : length(credentials) <= 20])
    error_message = "applications: Entra takes up to 20 federated credentials of an application, and ${join(", ", [for application, credentials in var.applications : "${application} has ${length(credentials)}" if length(credentials) > 20])}."
  }
  validation {
    condition     = alltrue([for credentials in values(var.applications) : length(distinct(values(credentials))) == length(credentials)])
    error_message = "applications: ${join(", ", [for application, credentials in var.applications : application if length(distinct(values(credentials))) != length(credentials)])} names a subject twice; Entra takes each issuer and subject once."
  }
  validation {
    condition     = alltrue([for name in flatten([for credentials in values(var.applications) : keys(credentials)]) : can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{2,119}$", name))])
    error_message = "applications: ${join(", ", [for name in flatten([for credentials in values(var.applications) : keys(credentials)]) : name if !can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{2,119}$", name))])} is no name of a credential: 3 to 120 letters, digits, - and _."
  }
  validation {
    condition     = alltrue([for subject in flatten([for credentials in values(var.applications) : values(credentials)]) : can(regex("^spiffe://[a-z0-9._-]+(/[a-z0-9][a-z0-9._-]{0,62})+$", subject)) && length(subject) <= 600])
    error_message = "applications: ${join(", ", [for subject in flatten([for credentials in values(var.applications) : values(credentials)]) : subject if !(can(regex("^spiffe://[a-z0-9._-]+(/[a-z0-9][a-z0-9._-]{0,62})+$", subject)) && length(subject) <= 600)])} is no subject of the broker's tokens, which is spiffe://, the trust domain, / and an identity, without a pattern, in up to 600 characters."
  }
  validation {
    condition     = length(var.applications) == 0 || var.issuer != null
    error_message = "applications: issuer is needed to trust its tokens."
  }
}
