variable "proof_audience" {
  description = "Whom the workloads' web-identity tokens are made for: one of the federation document's proof_audiences."
  type        = string
  nullable    = false

  validation {
    condition     = length(var.proof_audience) >= 1 && length(var.proof_audience) <= 1000
    error_message = "proof_audience: STS takes 1 to 1,000 characters."
  }
  validation {
    condition     = !contains(["sts.amazonaws.com", "pods.eks.amazonaws.com", "api://AzureADTokenExchange"], var.proof_audience)
    error_message = "proof_audience: ${var.proof_audience} belongs to somebody else, so that the broker refuses it. Use a name of your own, such as the issuer's URL."
  }
  validation {
    condition     = length(regexall("[*?$]", var.proof_audience)) == 0
    error_message = "proof_audience: IAM would read *, ? and $ as something else than themselves."
  }
}

variable "signing_algorithms" {
  description = "Algorithms that the workloads may ask STS to sign with: RS256, ES384 or both."
  type        = set(string)
  default     = ["RS256"]
  nullable    = false

  validation {
    condition     = length(var.signing_algorithms) > 0 && length(setsubtract(var.signing_algorithms, ["RS256", "ES384"])) == 0
    error_message = "signing_algorithms: STS signs with RS256 and ES384 alone."
  }
}

variable "max_duration_seconds" {
  description = "Longest life of a web-identity token that the workloads may ask for. Each is good for one exchange, so that a minute is enough."
  type        = number
  default     = 300
  nullable    = false

  validation {
    condition     = var.max_duration_seconds >= 60 && var.max_duration_seconds <= 3600 && floor(var.max_duration_seconds) == var.max_duration_seconds
    error_message = "max_duration_seconds: STS takes whole seconds from 60 to 3,600."
  }
}

variable "issuer" {
  description = "The broker's issuer, where roles of this account are to trust its tokens. Null where none is."
  type        = string
  default     = null

  validation {
    condition     = var.issuer == null ? true : can(regex("^https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(/[A-Za-z0-9._~-]+)*$", var.issuer))
    error_message = "issuer: AWS takes https URLs without a port, a query and a final slash, compared as written."
  }
  validation {
    condition     = var.issuer == null ? true : length(var.issuer) <= 255
    error_message = "issuer: AWS takes up to 255 characters."
  }
}

variable "account_id" {
  description = "The account of the roles that trust the broker's tokens. Needed with issuer."
  type        = string
  default     = null

  validation {
    condition     = var.issuer == null ? true : can(regex("^[0-9]{12}$", coalesce(var.account_id, "none")))
    error_message = "account_id: twelve digits, where issuer is set."
  }
}

variable "partition" {
  description = "The account's partition: aws, aws-cn, aws-us-gov or aws-eusc."
  type        = string
  default     = "aws"
  nullable    = false

  validation {
    condition     = contains(["aws", "aws-cn", "aws-us-gov", "aws-eusc"], var.partition)
    error_message = "partition: aws, aws-cn, aws-us-gov or aws-eusc."
  }
}

variable "token_audience" {
  description = "The audience of the broker's tokens that AWS takes: a name in the federation document's audiences."
  type        = string
  default     = "sts.amazonaws.com"
  nullable    = false

  validation {
    condition     = length(var.token_audience) >= 1 && length(var.token_audience) <= 255 && length(regexall("[*?$]", var.token_audience)) == 0
    error_message = "token_audience: 1 to 255 characters, without *, ? and $."
  }
}

variable "roles" {
  description = "For each role that is to trust the broker's tokens, the exact subjects that may have it, such as spiffe://corp.example/payments/api."
  type        = map(set(string))
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for subjects in values(var.roles) : length(subjects) > 0])
    error_message = "roles: ${join(", ", [for role, subjects in var.roles : role if length(subjects) == 0])} would be open to every workload: name its subjects."
  }
  validation {
    condition     = alltrue([for subject in flatten([for subjects in values(var.roles) : tolist(subjects)]) : can(regex("^spiffe://[a-z0-9._-]+(/[a-z0-9][a-z0-9._-]{0,62})+$", subject))])
    error_message = "roles: ${join(", ", [for subject in flatten([for subjects in values(var.roles) : tolist(subjects)]) : subject if !can(regex("^spiffe://[a-z0-9._-]+(/[a-z0-9][a-z0-9._-]{0,62})+$", subject))])} is no subject of the broker's tokens, which is spiffe://, the trust domain, / and an identity, without a pattern."
  }
  validation {
    condition     = length(var.roles) == 0 || var.issuer != null
    error_message = "roles: issuer is needed to trust its tokens."
  }
}
