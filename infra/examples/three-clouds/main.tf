# One map of who is who, for workloads on EKS, GKE and AKS and for the same jobs outside of clusters. It needs no provider: what
# comes from resources comes as plain values.

module "matches" {
  source = "../../modules/matches"

  aws_role_arns       = { batch = var.eks.batch_role_arn }
  gcp_unique_ids      = { batch = var.gke.batch_unique_id }
  azure_principal_ids = { batch = var.aks.batch_principal_id }
  gke_cluster_ids     = { prod = var.gke.cluster_id }
}

module "federation" {
  source = "../../modules/federation"

  trust_domain    = "corp.example"
  proof_audiences = [var.issuer]
  insecure_hosts  = var.stand_ins.insecure_hosts

  trusted_issuers = { for name, issuer in local.trusted_issuers : name => merge(issuer, try(var.stand_ins.settings[name], {})) }

  audiences = { ledger = { scopes = ["entries:read", "entries:write"] } }

  identities = {
    "payments/api"   = { grants = { ledger = ["entries:read"] } }
    "payments/batch" = { grants = { ledger = var.batch_scopes }, lifetime_seconds = 600 }
    "preview/*"      = { grants = { ledger = ["entries:read"] } }
  }

  # One identity from three clusters, and one from three clouds.
  bindings = merge(
    { for cluster in ["eks", "gke", "aks"] : "payments-api-${cluster}" => {
      trusted_issuer = cluster
      match          = { "kubernetes.namespace" = "payments", "kubernetes.service_account" = "api" }
      identity       = "payments/api"
    } },
    {
      payments-batch-aws   = { trusted_issuer = "aws", match = module.matches.aws["batch"], identity = "payments/batch" }
      payments-batch-gcp   = { trusted_issuer = "google", match = module.matches.gcp["batch"], identity = "payments/batch" }
      payments-batch-azure = { trusted_issuer = "entra", match = module.matches.azure["batch"], identity = "payments/batch" }
      previews = {
        trusted_issuer = "eks"
        match          = { "kubernetes.namespace" = "preview-*", "kubernetes.service_account" = "web" }
        identity       = "preview/{kubernetes.namespace}"
      }
    },
  )

  delegations = {
    shop = {
      identity_prefix = "shop/"
      trusted_issuers = { gke = { match = { "kubernetes.namespace" = "shop" } } }
      grants          = { ledger = ["entries:read"] }
    }
  }
}

locals {
  trusted_issuers = {
    eks    = { provider = "kubernetes", issuers = [var.eks.cluster_issuer] }
    gke    = { provider = "kubernetes", issuers = [module.matches.gke_issuers["prod"]] }
    aks    = { provider = "kubernetes", issuers = [var.aks.cluster_issuer] }
    aws    = { provider = "aws", accounts = { (module.matches.aws["batch"]["aws.account_id"]) = {} } }
    google = { provider = "gcp" }
    entra  = { provider = "azure", tenant_id = var.aks.tenant_id, proof_audiences = [var.aks.application_id_uri] }
  }
}

# The shop's own document. It would be in a state of the shop's, with what is handed out read from this one's.
module "shop" {
  source = "../../modules/federation-team"

  delegation = "shop"
  delegated  = module.federation.delegations["shop"]

  identities = { "shop/api" = { grants = { ledger = ["entries:read"] } } }
  bindings = {
    api = {
      trusted_issuer = "gke"
      match          = { "kubernetes.namespace" = "shop", "kubernetes.service_account" = "api" }
      identity       = "shop/api"
    }
  }
}
