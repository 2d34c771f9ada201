variable "issuer" {
  description = "Who the broker is: the iss of its tokens, and where its load balancer is found."
  type        = string
}

variable "image" {
  description = "The broker's image."
  type        = string
}

variable "cluster_issuer" {
  description = "The cluster's iss: aws_eks_cluster.NAME.identity[0].oidc[0].issuer."
  type        = string
}

variable "aws_accounts" {
  description = "The accounts whose roles prove themselves, as the aws-workload module gives them."
  type        = any
}

variable "batch_role_arn" {
  description = "The role that the batch job runs as, outside of the cluster: aws_iam_role.NAME.arn."
  type        = string
}

variable "load_balancer_subnets" {
  description = "The networks of the subnets that the ALB is in."
  type        = list(string)
}

variable "certificate_arn" {
  description = "The certificate of the issuer's name, in ACM."
  type        = string
}
