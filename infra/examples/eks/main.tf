# What asks AWS and the cluster, and what is made there. Everything else is in ./who-is-who.

provider "aws" {
  region = var.region
}

data "aws_eks_cluster" "this" {
  name = var.cluster_name
}

data "aws_eks_cluster_auth" "this" {
  name = var.cluster_name
}

provider "kubernetes" {
  host                   = data.aws_eks_cluster.this.endpoint
  cluster_ca_certificate = base64decode(data.aws_eks_cluster.this.certificate_authority[0].data)
  token                  = data.aws_eks_cluster_auth.this.token
}

data "aws_iam_role" "batch" {
  name = var.batch_role_name
}

data "aws_subnet" "load_balancer" {
  for_each = var.load_balancer_subnet_ids

  id = each.value
}

module "aws" {
  source = "../../modules/aws-workload"

  proof_audience             = var.issuer
  enable_outbound_federation = true
  proving_roles              = [data.aws_iam_role.batch.name]

  # And the other way round: payments/api may read the archive, by our token and without any key of AWS.
  issuer = var.issuer
  roles  = { archive-reader = [module.who_is_who.subjects["payments/api"]] }
}

module "who_is_who" {
  source = "./who-is-who"

  issuer                = var.issuer
  image                 = var.image
  cluster_issuer        = data.aws_eks_cluster.this.identity[0].oidc[0].issuer
  aws_accounts          = module.aws.account
  batch_role_arn        = data.aws_iam_role.batch.arn
  load_balancer_subnets = [for subnet in data.aws_subnet.load_balancer : subnet.cidr_block]
  certificate_arn       = var.certificate_arn
}

resource "kubernetes_manifest" "storage_class" {
  manifest = module.who_is_who.front.storage_class
}

module "apply" {
  source = "../../modules/broker/apply"

  objects    = module.who_is_who.objects
  depends_on = [kubernetes_manifest.storage_class]
}

resource "kubernetes_manifest" "ingress" {
  manifest   = module.who_is_who.front.ingress
  depends_on = [module.apply]
}
