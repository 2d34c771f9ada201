# Which URLs a document may make the broker fetch: https, on a usual port of a named public host. What is private is named as such.

locals {
  urls = concat(
    flatten([for issuer in local.issuers : [for index, url in issuer.issuers : {
      path = "${issuer.path}.issuers[${index}]", url = url, code = "issuer_refused", is_issuer = true
      # What is never fetched may be on any network.
      is_anywhere = issuer.keys.from != "discovery", hosts = issuer.private_hosts
    }]]),
    [for account in local.accounts : {
      path        = "${account.path}.web_identity_issuer", url = account.url, code = "issuer_refused", is_issuer = true
      is_anywhere = try(account.keys.from, "discovery") != "discovery", hosts = local.issuers[account.issuer].private_hosts
    } if account.url != null],
    [for issuer in local.issuers : {
      path        = "${issuer.path}.keys.url", url = issuer.keys.url, code = "url_refused", is_issuer = false
      is_anywhere = false, hosts = issuer.private_hosts
    } if issuer.keys.from == "url"],
    [for account in local.accounts : {
      path        = "${account.path}.keys.url", url = account.keys.url, code = "url_refused", is_issuer = false
      is_anywhere = false, hosts = local.issuers[account.issuer].private_hosts
    } if try(account.keys.from, "") == "url"],
    [for issuer in local.issuers : {
      path = "${issuer.path}.token_review.api_server", url = issuer.token_review.api_server, code = "url_refused", is_issuer = true
      # An API server that comes with its own authority is named by that.
      is_anywhere = can(issuer.token_review.ca_file), hosts = issuer.private_hosts
    } if can(issuer.token_review.api_server)],
    [for issuer in local.issuers : {
      path        = "${issuer.path}.sts_endpoint", url = issuer.sts_endpoint, code = "url_refused", is_issuer = true
      is_anywhere = false, hosts = issuer.private_hosts
    } if can(issuer.sts_endpoint)],
  )

  parsed = [for each in local.urls : merge(each, try(regex("^(?P<scheme>(?i:https?))://(?P<host>\\[[0-9A-Fa-f:.]+\\]|[^/?#:@\\[\\]]+)(?::(?P<port>[0-9]+))?(?P<rest>[/?#].*)?$", each.url), { scheme = null, host = "", port = null, rest = "" }))]
  located = [for each in local.parsed : merge(each, {
    written   = each.host
    scheme    = try(lower(each.scheme), null)
    host      = lower(each.host)
    authority = "${lower(each.host)}:${coalesce(each.port, try(lower(each.scheme), "") == "http" ? "80" : "443")}"
  })]

  # Each with the first that is wrong with it.
  url_faults = [for each in local.located : [for fault in [
    { is = each.scheme == null && strcontains(each.url, "@"), says = "must not hold credentials" },
    { is = each.scheme == null || can(regex("[\\s\\\\]", each.url)), says = "is not an https URL" },
    { is = strcontains(each.url, "@"), says = "must not hold credentials" },
    { is = strcontains(each.url, "#"), says = "must not have a fragment" },
    { is = strcontains(each.url, "*"), says = "must not hold a wildcard: name each issuer" },
    { is = each.is_issuer && strcontains(each.url, "?"), says = "must not have a query" },
    { is = each.is_issuer && (each.host != each.written || !can(regex("^https?:", each.url)) || each.port == (each.scheme == "http" ? "80" : "443") || can(regex("/\\.{1,2}(/|$)", each.url))),
    says = "is not in its normal form, so no token can carry it" },
    # A host that ends in a number is an address to every URL parser, however it is written; a letter beyond ASCII is written otherwise.
    { is = each.is_issuer && (can(regex("[^\\x00-\\x7f]", each.host)) || can(regex("(^|\\.)(0x[0-9a-f]*|[0-9]+)\\.?$", each.host)) && !can(regex("^(0|[1-9][0-9]*)(\\.(0|[1-9][0-9]*)){3}$", each.host))),
    says = "is not in its normal form, so no token can carry it" },
    { is = each.is_issuer && !each.is_anywhere && can(regex("^kubernetes(\\.default(\\.svc(\\..+)?)?)?\\.?$", each.host)),
    says = "is the same in every cluster: give the keys inline or by url" },
    { is = contains(var.insecure_hosts, each.authority), says = "" },
    { is = each.scheme != "https", says = "must be https" },
    { is = each.is_anywhere || contains(each.hosts, each.host) || contains(each.hosts, each.authority), says = "" },
    { is = can(regex("(^|\\.)(0x[0-9a-f]*|[0-9]+)\\.?$|^\\[", each.host)), says = "must not name an IP address: name ${each.authority} in private_hosts if it is yours" },
    { is = !strcontains(trimsuffix(each.host, "."), ".") || can(regex("\\.(local|internal|localhost|svc)\\.?$", each.host)),
    says = "is on a private network: name ${each.authority} in private_hosts if it is yours" },
    { is = !contains(["443", "6443", "8443"], coalesce(each.port, "443")), says = "is on an unusual port: name ${each.authority} in private_hosts if it is yours" },
  ] : fault.says if fault.is]]

  url_problems = [for index, each in local.located : "${each.path}: ${each.url} ${local.url_faults[index][0]} [${each.code}]"
  if try(local.url_faults[index][0], "") != ""]
}
