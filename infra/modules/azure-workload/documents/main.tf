locals {
  # Version 2: one form of aud, the client id. Version 1 has three, two of which nobody asked for.
  application = {
    sign_in_audience               = "AzureADMyOrg"
    identifier_uris                = [var.identifier_uri]
    requested_access_token_version = 2
  }

  credentials = merge([
    for application, credentials in var.applications : {
      for name, subject in credentials : "${application} ${name}" => {
        application_id = application
        display_name   = name
        issuer         = var.issuer
        subject        = subject
        audiences      = [var.token_audience]
      }
    }
  ]...)
}
