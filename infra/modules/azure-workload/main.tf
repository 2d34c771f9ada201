# Thin: what is decided is decided in ./documents, which needs no provider.

data "azuread_client_config" "this" {}

module "documents" {
  source = "./documents"

  tenant_id      = data.azuread_client_config.this.tenant_id
  client_id      = azuread_application.broker.client_id
  identifier_uri = var.identifier_uri
  cloud          = var.cloud
  issuer         = var.issuer
  token_audience = var.token_audience
  applications   = var.applications
}

resource "random_uuid" "prove" {}

resource "azuread_application" "broker" {
  display_name     = var.display_name
  identifier_uris  = module.documents.application.identifier_uris
  sign_in_audience = module.documents.application.sign_in_audience

  api {
    requested_access_token_version = module.documents.application.requested_access_token_version
  }

  # For whoever says which identities may have a token. The broker itself does not read roles.
  app_role {
    id                   = random_uuid.prove.result
    allowed_member_types = ["Application"]
    display_name         = "Prove"
    description          = "May have a token that proves it to the broker"
    value                = "Prove"
  }
}

resource "azuread_service_principal" "broker" {
  client_id                    = azuread_application.broker.client_id
  app_role_assignment_required = var.principals != null
}

resource "azuread_app_role_assignment" "workload" {
  for_each = var.principals == null ? {} : var.principals

  app_role_id         = random_uuid.prove.result
  principal_object_id = each.value
  resource_object_id  = azuread_service_principal.broker.object_id
}

resource "azuread_application_federated_identity_credential" "broker" {
  for_each = module.documents.federated_credentials

  application_id = each.value.application_id
  display_name   = each.value.display_name
  issuer         = each.value.issuer
  subject        = each.value.subject
  audiences      = each.value.audiences
}
