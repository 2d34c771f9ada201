# No proof may be for two trusted issuers.

locals {
  # Every exact iss that a trusted issuer's proofs may have.
  names_of_issuers = concat(
    flatten([for name, issuer in local.issuers : [for url in distinct(issuer.issuers) : { iss = url, issuer = name }]]),
    [for account in local.accounts : { iss = account.url, issuer = account.issuer } if account.url != null],
    flatten([for name, issuer in local.issuers : [for url in local.catalogue.google_issuers.all : { iss = url, issuer = name }] if issuer.provider == "gcp"]),
    flatten([for name, issuer in local.issuers : [
      for url in local.catalogue.azure_issuers[try(issuer.cloud, "public")] : { iss = replace(url, "TENANT", lower(issuer.tenant_id)), issuer = name }
    ] if issuer.provider == "azure"]),
  )
  by_name = { for each in local.names_of_issuers : each.iss => each.issuer... }

  # Clusters that share a name are told apart by the kid of inline keys, and by nothing else.
  shared = { for iss, issuers in local.by_name : iss => {
    issuers = distinct(issuers)
    kids = flatten([for issuer in distinct(issuers) : [
      for key in try(local.issuers[issuer].keys.jwks.keys, []) : try(key.kid, "")
    ] if local.issuers[issuer].provider == "kubernetes"])
    is_told_apart = alltrue([for issuer in distinct(issuers) : local.issuers[issuer].provider == "kubernetes" && local.issuers[issuer].keys.from == "inline"])
  } if length(distinct(issuers)) > 1 }

  by_account = { for account in local.accounts : account.key => account.issuer... }
  by_partition = { for name, issuer in local.issuers : issuer.partition => {
    name = name, sts_endpoint = try(issuer.sts_endpoint, ""), ca_file = try(issuer.ca_file, "")
  }... if issuer.provider == "aws" }
  web_identity_urls = { for account in local.accounts : "${account.issuer} ${account.url}" => account.id... if account.url != null }
  tenants           = { for name, issuer in local.issuers : lower(issuer.tenant_id) => name... if issuer.provider == "azure" }

  conflict_problems = concat(
    [for iss, each in local.shared : "trusted_issuers: ${join(" and ", each.issuers)}: all name the issuer ${iss}: ${alltrue([for issuer in each.issuers : local.issuers[issuer].provider == "kubernetes"])
      ? "give each its keys inline, no kid twice, so that a proof's kid tells them apart"
      : "keep one, and tell its workloads apart by bindings"} [issuer_shared]"
    if !each.is_told_apart || length(distinct(each.kids)) != length(each.kids)],
    [for tenant, issuers in local.tenants : "trusted_issuers: ${join(" and ", issuers)}: all name the tenant ${tenant}: keep one [issuer_shared]"
    if length(issuers) > 1],
    [for account, issuers in local.by_account : "trusted_issuers: ${join(" and ", issuers)}: all name the account ${account}: an account stands in one trusted issuer alone [issuer_shared]"
    if length(issuers) > 1],
    [for partition, issuers in local.by_partition : "trusted_issuers: ${join(" and ", [for each in issuers : each.name])}: all are in the partition ${partition} and name different sts_endpoint or ca_file [issuer_shared]"
    if length(distinct([for each in issuers : [each.sts_endpoint, each.ca_file]])) > 1],
    [for key, ids in local.web_identity_urls : "trusted_issuers[\"${split(" ", key)[0]}\"].accounts[\"${ids[1]}\"].web_identity_issuer: the account ${ids[0]} has the same web_identity_issuer: every account has its own [issuer_refused]"
    if length(ids) > 1],
    flatten([for issuer in local.issuers : [
      for index, url in issuer.issuers : "${issuer.path}.issuers[${index}]: the issuer stands in the list twice [issuer_refused]"
      if contains(slice(issuer.issuers, 0, index), url)
    ]]),
  )
}
