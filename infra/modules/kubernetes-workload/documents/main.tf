locals {
  volume = {
    name = "chancery"
    projected = {
      sources = [{ serviceAccountToken = { path = "token", audience = var.proof_audience, expirationSeconds = var.expiration_seconds } }]
    }
  }

  volume_mount = { name = "chancery", mountPath = var.mount_path, readOnly = true }

  service_accounts = {
    for account in var.service_accounts : account => {
      apiVersion                   = "v1"
      kind                         = "ServiceAccount"
      metadata                     = { namespace = split("/", account)[0], name = split("/", account)[1] }
      automountServiceAccountToken = false
    }
  }

  # CEL. A subject has no character that a string of it would have to escape.
  known_subject = "claims.sub in [${join(", ", [for subject in sort(var.subjects) : "'${subject}'"])}]"

  authentication_configuration = {
    apiVersion = "apiserver.config.k8s.io/${var.authentication_api_version}"
    kind       = "AuthenticationConfiguration"
    jwt = [{
      issuer               = { url = var.issuer, audiences = [var.token_audience] }
      claimValidationRules = [{ expression = local.known_subject, message = "not a workload that this cluster knows" }]
      claimMappings        = { username = { claim = "sub", prefix = var.username_prefix } }
    }]
  }
}
