# From what you write to the one document that the broker follows.

locals {
  catalogue = jsondecode(file("${path.module}/catalogue.json"))

  # Null leaves a member out, as everywhere in Terraform; but for conditions, where it would widen what a binding matches, and
  # claims, where it is a value. What is not even an object here is told below, and never written.
  entries = {
    trusted_issuers = { for name, entry in var.trusted_issuers : name => try({
      for key in keys(entry) : key => try({
        for inner in keys(entry[key]) : inner => try(
          { for each in keys(entry[key][inner]) : each => try(
            { for last in keys(entry[key][inner][each]) : last => entry[key][inner][each][last] if entry[key][inner][each][last] != null },
            entry[key][inner][each]
          ) if entry[key][inner][each] != null },
          entry[key][inner]
        ) if entry[key][inner] != null
      }, entry[key]) if entry[key] != null
    }, null) }
    audiences   = { for name, entry in var.audiences : name => try({ for key, value in entry : key => value if value != null }, null) }
    identities  = { for name, entry in var.identities : name => try({ for key, value in entry : key => value if value != null }, null) }
    bindings    = { for name, entry in var.bindings : name => try({ for key, value in entry : key => value if value != null }, null) }
    delegations = { for name, entry in var.delegations : name => try({ for key, value in entry : key => value if value != null }, null) }
  }

  document = jsonencode(merge(
    { version = 1, trust_domain = var.trust_domain },
    var.proof_audiences == null ? {} : { proof_audiences = var.proof_audiences },
    { for section, entries in local.entries : section => entries if section == "trusted_issuers" || length(entries) > 0 },
  ))
}
