variable "subscription_id" {
  description = "The subscription of the cluster."
  type        = string
}

variable "resource_group_name" {
  description = "The resource group of the cluster and of the batch job's identity."
  type        = string
}

variable "cluster_name" {
  description = "The cluster that the broker runs on, with its OIDC issuer turned on."
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

variable "batch_identity_name" {
  description = "The user-assigned identity that the batch job runs with, on a VM or in Functions."
  type        = string
}

variable "reports_application_id" {
  description = "The application that payments/api may act as at Entra: azuread_application.NAME.id."
  type        = string
}

variable "load_balancer_subnet" {
  description = "The network of the subnet that Application Gateway for Containers is in."
  type        = string
}

variable "load_balancer" {
  description = "The ApplicationLoadBalancer that takes the Gateway, as NAMESPACE/NAME."
  type        = string
}
