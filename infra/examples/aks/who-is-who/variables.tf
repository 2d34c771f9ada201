variable "issuer" {
  description = "Who the broker is: the iss of its tokens, and where its load balancer is found."
  type        = string
}

variable "image" {
  description = "The broker's image."
  type        = string
}

variable "cluster_issuer" {
  description = "The cluster's iss, with its final slash: azurerm_kubernetes_cluster.NAME.oidc_issuer_url."
  type        = string

  validation {
    condition     = endswith(var.cluster_issuer, "/")
    error_message = "cluster_issuer: an AKS cluster's issuer ends with a slash, which is a part of it."
  }
}

variable "entra" {
  description = "The tenant as a trusted issuer, as the azure-workload module gives it."
  type        = any
}

variable "batch_principal_id" {
  description = "The managed identity that the batch job runs with, on a VM or in Functions: azurerm_user_assigned_identity.NAME.principal_id."
  type        = string
}

variable "entra_audience" {
  description = "The entry of audiences that Entra takes tokens of, as the azure-workload module gives it."
  type        = any
}

variable "load_balancer_subnet" {
  description = "The network of the subnet that Application Gateway for Containers is in."
  type        = string
}

variable "load_balancer" {
  description = "The ApplicationLoadBalancer that takes the Gateway, as NAMESPACE/NAME."
  type        = string

  validation {
    condition     = length(split("/", var.load_balancer)) == 2
    error_message = "load_balancer: NAMESPACE/NAME."
  }
}
