variable "region" {
  description = "The region of the cluster."
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

variable "batch_role_name" {
  description = "The role that the batch job runs as, outside of the cluster."
  type        = string
}

variable "load_balancer_subnet_ids" {
  description = "The subnets that the ALB is in."
  type        = set(string)
}

variable "certificate_arn" {
  description = "The certificate of the issuer's name, in ACM."
  type        = string
}
