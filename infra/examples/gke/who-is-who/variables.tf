variable "issuer" {
  description = "Who the broker is: the iss of its tokens, and where its load balancer is found."
  type        = string
}

variable "image" {
  description = "The broker's image."
  type        = string
}

variable "cluster_id" {
  description = "The cluster, as google_container_cluster.NAME.id has it: projects/PROJECT/locations/LOCATION/clusters/NAME."
  type        = string

  validation {
    condition     = can(regex("^projects/[a-z0-9:.-]+/locations/[a-z0-9-]+/clusters/[a-z0-9-]+$", var.cluster_id))
    error_message = "cluster_id: projects/PROJECT/locations/LOCATION/clusters/NAME."
  }
}

variable "batch_account_unique_id" {
  description = "The unique id of the service account that the batch job runs as, on Cloud Run: google_service_account.NAME.unique_id."
  type        = string

  validation {
    condition     = can(regex("^[0-9]+$", var.batch_account_unique_id))
    error_message = "batch_account_unique_id: the unique id, and not the address, which somebody else may have later."
  }
}

variable "load_balancer_address" {
  description = "The address of the Gateway, which adds it to X-Forwarded-For after the caller's."
  type        = string
}

variable "certificate_map" {
  description = "The certificate map that has the issuer's name, in Certificate Manager."
  type        = string
}

variable "pool_audience" {
  description = "The entry of audiences that Google Cloud takes tokens of, as the gcp-workload module gives it."
  type        = any
}
