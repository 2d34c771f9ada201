# Everything that can be known without asking Azure or the cluster: who is who, and the objects that are applied.

locals {
  kubernetes = "${path.module}/../../../kubernetes/overlays/aks"
  host       = split("/", trimprefix(var.issuer, "https://"))[0]
}

module "workload" {
  source = "../../../modules/kubernetes-workload/documents"

  proof_audience   = var.issuer
  service_accounts = ["payments/api"]
}

module "matches" {
  source = "../../../modules/matches"

  azure_principal_ids = { batch = var.batch_principal_id }
}

module "federation" {
  source = "../../../modules/federation"

  trust_domain    = "corp.example"
  proof_audiences = [var.issuer]

  trusted_issuers = {
    prod-aks = {
      provider = "kubernetes"
      issuers  = [var.cluster_issuer]
      # The cluster is asked whether pod and account still exist, by the broker's own token.
      token_review  = { api_server = "https://kubernetes.default.svc", ca_file = "cluster/ca.crt", token_file = "cluster/token" }
      private_hosts = ["kubernetes.default.svc"]
    }
    entra = var.entra
  }

  audiences = merge({ ledger = { scopes = ["entries:read", "entries:write"] } }, var.entra_audience)

  identities = {
    "payments/api"   = { grants = merge({ ledger = ["entries:read"] }, { for name in keys(var.entra_audience) : name => [] }) }
    "payments/batch" = { grants = { ledger = ["entries:read", "entries:write"] }, lifetime_seconds = 600 }
  }

  bindings = {
    payments-api = {
      trusted_issuer = "prod-aks"
      match          = module.workload.matches["payments/api"]
      identity       = "payments/api"
    }
    payments-batch = {
      trusted_issuer = "entra"
      match          = module.matches.azure["batch"]
      identity       = "payments/batch"
    }
  }
}

module "broker" {
  source = "../../../modules/broker"

  issuer          = var.issuer
  image           = var.image
  documents       = { "platform.json" = module.federation.document }
  trusted_proxies = [var.load_balancer_subnet]
  storage_class   = "chancery"
}

locals {
  load_balancer = split("/", var.load_balancer)

  front = merge(
    { storage_class = yamldecode(file("${local.kubernetes}/storage-class.yaml")) },
    {
      for text in split("\n---\n", file("${local.kubernetes}/gateway.yaml")) :
      yamldecode(text).kind => merge(yamldecode(text), {
        metadata = merge(
          { name = "chancery", namespace = module.broker.objects.namespace.metadata.name },
          {
            for name, value in {
              annotations = {
                "alb.networking.azure.io/alb-namespace" = local.load_balancer[0]
                "alb.networking.azure.io/alb-name"      = local.load_balancer[1]
              }
            } : name => value if yamldecode(text).kind == "Gateway"
          },
        )
        # The overlay's own, with this name.
        spec = merge(
          yamldecode(text).spec,
          { for name, value in { hostnames = [local.host] } : name => value if yamldecode(text).kind == "HTTPRoute" },
          {
            for name, value in {
              listeners = [for listener in try(yamldecode(text).spec.listeners, []) : merge(listener, { hostname = local.host })]
            } : name => value if yamldecode(text).kind == "Gateway"
          },
        )
      })
    },
  )
}
