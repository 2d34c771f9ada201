# Everything that can be known without asking AWS or the cluster: who is who, and the objects that are applied.

locals {
  kubernetes = "${path.module}/../../../kubernetes/overlays/eks"
  host       = split("/", trimprefix(var.issuer, "https://"))[0]
}

module "workload" {
  source = "../../../modules/kubernetes-workload/documents"

  proof_audience   = var.issuer
  service_accounts = ["payments/api"]
}

module "matches" {
  source = "../../../modules/matches"

  aws_role_arns = { batch = var.batch_role_arn }
}

module "federation" {
  source = "../../../modules/federation"

  trust_domain    = "corp.example"
  proof_audiences = [var.issuer]

  trusted_issuers = {
    prod-eks = {
      provider = "kubernetes"
      issuers  = [var.cluster_issuer]
      # The cluster is asked whether pod and account still exist, by the broker's own token.
      token_review  = { api_server = "https://kubernetes.default.svc", ca_file = "cluster/ca.crt", token_file = "cluster/token" }
      private_hosts = ["kubernetes.default.svc"]
    }
    aws = { provider = "aws", accounts = var.aws_accounts }
  }

  audiences = {
    ledger              = { scopes = ["entries:read", "entries:write"] }
    "sts.amazonaws.com" = { token_type = "JWT" }
  }

  identities = {
    "payments/api"   = { grants = { ledger = ["entries:read"], "sts.amazonaws.com" = [] } }
    "payments/batch" = { grants = { ledger = ["entries:read", "entries:write"] }, lifetime_seconds = 600 }
  }

  bindings = {
    payments-api = {
      trusted_issuer = "prod-eks"
      match          = module.workload.matches["payments/api"]
      identity       = "payments/api"
    }
    payments-batch = {
      trusted_issuer = "aws"
      match          = module.matches.aws["batch"]
      identity       = "payments/batch"
    }
  }
}

module "broker" {
  source = "../../../modules/broker"

  issuer          = var.issuer
  image           = var.image
  documents       = { "platform.json" = module.federation.document }
  trusted_proxies = var.load_balancer_subnets
  storage_class   = "chancery"
}

locals {
  ingress = yamldecode(file("${local.kubernetes}/ingress.yaml"))

  # The overlay's own, with this certificate and this name.
  front = {
    storage_class = yamldecode(file("${local.kubernetes}/storage-class.yaml"))
    ingress = merge(local.ingress, {
      metadata = {
        name        = local.ingress.metadata.name
        namespace   = module.broker.objects.namespace.metadata.name
        annotations = merge(local.ingress.metadata.annotations, { "alb.ingress.kubernetes.io/certificate-arn" = var.certificate_arn })
      }
      spec = merge(local.ingress.spec, { rules = [merge(local.ingress.spec.rules[0], { host = local.host })] })
    })
  }
}
