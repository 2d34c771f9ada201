# Whose proofs are taken: what must be true of trusted issuers beyond their shape.

locals {
  issuers = { for name, entry in local.entries.trusted_issuers : name => merge({
    proof_audiences = coalesce(var.proof_audiences, [])
    private_hosts   = []
    keys            = { from = "discovery" }
    accounts        = {}
    partition       = "aws"
    issuers         = []
    # A set is as good as a list.
  }, entry, try({ issuers = [for url in entry.issuers : url] }, {}), { path = "trusted_issuers[\"${name}\"]" }) if local.are_issuers_shaped }

  proof_audiences = concat(
    [for index, audience in coalesce(var.proof_audiences, []) : { path = "proof_audiences[${index}]", audience = audience }],
    flatten([for name, entry in local.entries.trusted_issuers : [
      for index, audience in try(entry.proof_audiences, []) : { path = "trusted_issuers[\"${name}\"].proof_audiences[${index}]", audience = audience }
    ] if local.are_issuers_shaped]),
  )
  # In whatever case, with or without scheme, port or final slash.
  audience_names = [for each in local.proof_audiences : replace(replace(replace(lower(each.audience), "/^https?://|^///", ""), "//+(\\.default)?/*$/", ""), "/:\\d+$/", "")]

  proof_audience_problems = concat(
    [for index, each in local.proof_audiences : "${each.path}: ${each.audience} belongs to another party, who could bring its proofs here: choose a name of the broker's own [proof_audience_foreign]"
      if contains(local.catalogue.foreign_audiences.names, local.audience_names[index])
      || can(regex(local.catalogue.foreign_audiences.pattern, local.audience_names[index]))
      || anytrue([for suffix in local.catalogue.foreign_audiences.suffixes : endswith(local.audience_names[index], suffix)])
    || anytrue([for prefix in local.catalogue.foreign_audiences.prefixes : startswith(local.audience_names[index], prefix)])],
    flatten([for issuer in local.issuers : [
      for index, url in issuer.issuers : "${issuer.path}.issuers[${index}]: the proof audience is this cluster's own API audience: choose a name that belongs to the broker [proof_audience_foreign]"
      if contains(issuer.proof_audiences, url)
    ]]),
  )

  accounts = flatten([for name, issuer in local.issuers : [for id, account in issuer.accounts : {
    issuer = name
    id     = id
    key    = "${issuer.partition}/${id}"
    path   = "${issuer.path}.accounts[\"${id}\"]"
    url    = try(account.web_identity_issuer, null)
    keys   = try(account.keys, null)
  }]])

  settings_problems = concat(
    [for issuer in local.issuers : "${issuer.path}.accounts: name an account [shape]" if issuer.provider == "aws" && length(issuer.accounts) == 0],
    flatten([for issuer in local.issuers : [
      for index, region in try(issuer.regions, []) : "${issuer.path}.regions[${index}]: ${region} is not a region of ${issuer.partition} that this version knows [region_unknown]"
      if !contains(local.catalogue.aws_regions[issuer.partition], region)
    ]]),
    [for account in local.accounts : "${account.path}.keys: keys go with a web_identity_issuer [keys_unused]" if account.keys != null && account.url == null],
    [for issuer in local.issuers : "${issuer.path}.tenant_id: name the tenant by its id, a GUID: no domain, and not \"common\" [shape]"
    if issuer.provider == "azure" && !can(regex(local.catalogue.providers.azure.attributes["azure.tenant_id"].patterns[0], lower(issuer.tenant_id)))],
  )

  key_lists = concat(
    [for issuer in local.issuers : { path = "${issuer.path}.keys.jwks.keys", keys = [for key in issuer.keys.jwks.keys : key] } if issuer.keys.from == "inline"],
    [for account in local.accounts : { path = "${account.path}.keys.jwks.keys", keys = [for key in account.keys.jwks.keys : key] } if try(account.keys.from, "") == "inline"],
  )
  # The one algorithm that the type of each allows; none is empty.
  key_algorithms = { for list in local.key_lists : list.path => [
    for key in list.keys : try(key.kty == "RSA", false) ? "RS256" : try(key.kty == "EC" ? local.catalogue.key_algorithms[key.crv] : "", "")
  ] }
  key_problems = concat(
    [for list in local.key_lists : "${list.path}: name at least one public key [keys_empty]" if length(list.keys) == 0],
    flatten([for list in local.key_lists : [
      for index, key in list.keys : "${list.path}[${index}]: the key cannot be used: it needs a kid, the kty RSA or EC with a curve that is signed with, and nothing of its private half; where use, key_ops and alg are there, they are for verifying with it [key_refused]"
      if !can(regex("^\"[^\"]", jsonencode(key.kid)))
      || local.key_algorithms[list.path][index] == ""
      || anytrue([for member in local.catalogue.private_key_members : can(key[member])])
      || !alltrue([for member in local.key_algorithms[list.path][index] == "RS256" ? ["n", "e"] : ["x", "y"] : can(regex("^[A-Za-z0-9_-]+$", key[member]))])
      || try(key.use, "sig") != "sig"
      || (can(key.key_ops) && !try(contains(key.key_ops, "verify"), false))
      || (can(key.alg) && try(key.alg, "") != local.key_algorithms[list.path][index])
    ]]),
    flatten([for list in local.key_lists : [
      for index, key in list.keys : "${list.path}[${index}]: two keys have the same kid [key_id_repeated]"
      if try(contains([for other in slice(list.keys, 0, index) : try(other.kid, "")], key.kid), false)
    ]]),
  )
}
