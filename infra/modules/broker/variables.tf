variable "issuer" {
  description = "Who the broker is: the iss of its tokens, an https URL."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(/[A-Za-z0-9._~-]+)*$", var.issuer))
    error_message = "issuer: an https URL without a port, a query and a final slash, in lower case: AWS, Google Cloud and Entra compare it as written."
  }
}

variable "image" {
  description = "The broker's image, best by digest."
  type        = string
  nullable    = false

  validation {
    condition     = length(regexall("(:[A-Za-z0-9_][A-Za-z0-9_.-]*|@sha256:[0-9a-f]{64})$", var.image)) == 1 && !endswith(var.image, ":latest")
    error_message = "image: with a digest, or a tag that is not latest, so that a restart changes nothing."
  }
}

variable "documents" {
  description = "The federation documents, by file name: platform.json, and one of each team."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.documents) : can(regex("^[A-Za-z0-9_][A-Za-z0-9._-]*\\.json$", name))])
    error_message = "documents: ${join(", ", [for name in keys(var.documents) : name if !can(regex("^[A-Za-z0-9_][A-Za-z0-9._-]*\\.json$", name))])} does not end with .json, and would not be read."
  }
  validation {
    condition     = alltrue([for text in values(var.documents) : can(jsondecode(text))])
    error_message = "documents: ${join(", ", [for name, text in var.documents : name if !can(jsondecode(text))])} is no JSON."
  }
  validation {
    condition     = length(var.documents) + length(var.documents_gzip_base64) > 0
    error_message = "documents: without one the broker does not start."
  }
}

variable "documents_gzip_base64" {
  description = "The same, compressed and in base64, as the federation module gives them: for those that are too large for a ConfigMap otherwise."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.documents_gzip_base64) : can(regex("^[A-Za-z0-9_][A-Za-z0-9._-]*\\.json\\.gz$", name))])
    error_message = "documents_gzip_base64: ${join(", ", [for name in keys(var.documents_gzip_base64) : name if !can(regex("^[A-Za-z0-9_][A-Za-z0-9._-]*\\.json\\.gz$", name))])} does not end with .json.gz, and would not be read."
  }
}

variable "namespace" {
  description = "The namespace of everything."
  type        = string
  default     = "chancery"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.namespace))
    error_message = "namespace: a name of Kubernetes."
  }
}

variable "replicas" {
  description = "How many brokers. One keeps its state on a volume; more share a PostgreSQL, and need database_url."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.replicas >= 1 && floor(var.replicas) == var.replicas
    error_message = "replicas: a whole number, and at least one."
  }
}

variable "database_url" {
  description = "The PostgreSQL that many replicas share, without its password: postgres://USER@HOST/DATABASE. Null for one replica with a volume."
  type        = string
  default     = null

  validation {
    condition     = var.replicas == 1 || var.database_url != null
    error_message = "database_url: ${var.replicas} replicas need a database: each would otherwise have keys of its own, and forget what was spent at another."
  }
  validation {
    condition     = var.database_url == null ? true : can(regex("^postgres(ql)?://[^:@/]+@[^@/]+/[^/?]+(\\?(sslmode|sslrootcert)=[^&]+(&(sslmode|sslrootcert)=[^&]+)*)?$", var.database_url))
    error_message = "database_url: postgres://USER@HOST/DATABASE, with sslmode and sslrootcert alone, and without a password, which would be in the state."
  }
  validation {
    condition     = var.database_url == null ? true : length(regexall("sslmode=", var.database_url)) == length(regexall("sslmode=verify-full(&|$)", var.database_url))
    error_message = "database_url: sslmode is verify-full, or left out: the broker takes no database that anybody could stand in for."
  }
}

variable "database_secret" {
  description = "The Secret with the database's password, and as ca.crt its authority, where that is a private one."
  type        = string
  default     = "chancery-database"
  nullable    = false
}

variable "key_encryption_secret" {
  description = "The Secret whose key keys seals the signing keys: base64 of 32 random bytes. It is never made here, as it would be in the state."
  type        = string
  default     = "chancery-key-encryption"
  nullable    = false
}

variable "files_secret" {
  description = "A Secret with files that the documents name. It need not be there."
  type        = string
  default     = "chancery-files"
  nullable    = false
}

variable "tls_secret" {
  description = "The Secret (kubernetes.io/tls) by which the broker itself serves TLS. Null for plain HTTP behind a load balancer."
  type        = string
  default     = null
}

variable "trusted_proxies" {
  description = "Networks whose X-Forwarded-For is believed: those of the load balancer alone."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for network in var.trusted_proxies : can(cidrhost(network, 0))])
    error_message = "trusted_proxies: ${join(", ", [for network in var.trusted_proxies : network if !can(cidrhost(network, 0))])} is no network, such as 10.0.0.0/20."
  }
  validation {
    condition     = alltrue([for network in var.trusted_proxies : !endswith(network, "/0")])
    error_message = "trusted_proxies: a network of everybody lets everybody claim any address."
  }
}

variable "settings" {
  description = "Further settings of chancery serve, by flag without dashes in front, such as key-rotation-days."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.settings), ["audit", "egress-proxy", "key-rotation-days", "workers"])) == 0
    error_message = "settings: ${join(", ", setsubtract(keys(var.settings), ["audit", "egress-proxy", "key-rotation-days", "workers"]))} cannot be set here: audit, egress-proxy, key-rotation-days and workers can, and other inputs stand for the rest."
  }
}

variable "storage_size" {
  description = "The size of the one replica's volume."
  type        = string
  default     = "10Gi"
  nullable    = false
}

variable "storage_class" {
  description = "Its storage class; null for the cluster's default. File systems of a network are refused by the broker."
  type        = string
  default     = null
}

variable "cpu" {
  description = "The CPU that is reserved for a broker. There is no limit: throttled signing is what callers would wait for."
  type        = string
  default     = "250m"
  nullable    = false
}

variable "memory" {
  description = "The memory that is reserved for a broker."
  type        = string
  default     = "256Mi"
  nullable    = false
}

variable "memory_limit" {
  description = "The most memory that a broker may take: enough for documents of 100,000 bindings."
  type        = string
  default     = "768Mi"
  nullable    = false
}

variable "egress_ports" {
  description = "Further TCP ports that the broker may reach, such as 6443 where API servers listen there."
  type        = list(number)
  default     = []
  nullable    = false
}

variable "monitoring_namespace" {
  description = "The namespace that may read metrics. Null where none may."
  type        = string
  default     = "monitoring"
}

variable "service_monitor" {
  description = "Whether the Prometheus Operator is to be told where the metrics are."
  type        = bool
  default     = true
  nullable    = false
}
