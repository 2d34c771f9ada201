variable "project_id" {
  description = "The project of the cluster and of the workloads."
  type        = string
}

variable "location" {
  description = "The region or zone of the cluster."
  type        = string
}

variable "cluster_name" {
  description = "The cluster that the broker runs on."
  type        = string
}

variable "issuer" {
  description = "Who the broker is: the iss of its tokens, and where its load balancer is found."
  type        = string
}

variable "image" {
  description = "The broker's image."
  type        = string
}

variable "certificate_map" {
  description = "The certificate map that has the issuer's name, in Certificate Manager."
  type        = string
}
