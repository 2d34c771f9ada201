# Everything that can be known without asking Google Cloud or the cluster: who is who, and the objects that are applied.

locals {
  kubernetes = "${path.module}/../../../kubernetes/overlays/gke"
  host       = split("/", trimprefix(var.issuer, "https://"))[0]
}

module "workload" {
  source = "../../../modules/kubernetes-workload/documents"

  proof_audience   = var.issuer
  service_accounts = ["payments/api"]
}

module "matches" {
  source = "../../../modules/matches"

  gcp_unique_ids  = { batch = var.batch_account_unique_id }
  gke_cluster_ids = { prod = var.cluster_id }
}

module "federation" {
  source = "../../../modules/federation"

  trust_domain    = "corp.example"
  proof_audiences = [var.issuer]

  trusted_issuers = {
    prod-gke = {
      provider = "kubernetes"
      issuers  = [module.matches.gke_issuers["prod"]]
      # The cluster is asked whether pod and account still exist, by the broker's own token.
      token_review  = { api_server = "https://kubernetes.default.svc", ca_file = "cluster/ca.crt", token_file = "cluster/token" }
      private_hosts = ["kubernetes.default.svc"]
    }
    google = { provider = "gcp" }
  }

  audiences = merge({ ledger = { scopes = ["entries:read", "entries:write"] } }, var.pool_audience)

  identities = {
    "payments/api"   = { grants = merge({ ledger = ["entries:read"] }, { for name in keys(var.pool_audience) : name => [] }) }
    "payments/batch" = { grants = { ledger = ["entries:read", "entries:write"] }, lifetime_seconds = 600 }
  }

  bindings = {
    payments-api = {
      trusted_issuer = "prod-gke"
      match          = module.workload.matches["payments/api"]
      identity       = "payments/api"
    }
    payments-batch = {
      trusted_issuer = "google"
      match          = module.matches.gcp["batch"]
      identity       = "payments/batch"
    }
  }
}

module "broker" {
  source = "../../../modules/broker"

  issuer          = var.issuer
  image           = var.image
  documents       = { "platform.json" = module.federation.document }
  trusted_proxies = ["35.191.0.0/16", "130.211.0.0/22", "${var.load_balancer_address}/32"]
  storage_class   = "chancery"
}

locals {
  front = merge(
    { storage_class = yamldecode(file("${local.kubernetes}/storage-class.yaml")) },
    {
      for text in split("\n---\n", file("${local.kubernetes}/gateway.yaml")) :
      yamldecode(text).kind => merge(yamldecode(text), {
        metadata = merge(
          { name = "chancery", namespace = module.broker.objects.namespace.metadata.name },
          { for name, value in { annotations = { "networking.gke.io/certmap" = var.certificate_map } } : name => value if yamldecode(text).kind == "Gateway" },
        )
        # The overlay's own, with this name and this address.
        spec = merge(
          yamldecode(text).spec,
          { for name, value in { hostnames = [local.host] } : name => value if yamldecode(text).kind == "HTTPRoute" },
          {
            for name, value in {
              listeners = [for listener in try(yamldecode(text).spec.listeners, []) : merge(listener, { hostname = local.host })]
              addresses = [{ type = "IPAddress", value = var.load_balancer_address }]
            } : name => value if yamldecode(text).kind == "Gateway"
          },
        )
      })
    },
  )
}
