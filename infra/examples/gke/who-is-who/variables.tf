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
}

variable "batch_account_unique_id" {
  description = "The unique id of the service account that the batch job runs as, on Cloud Run: google_service_account.NAME.unique_id."
  type        = string
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
