# Keys that are not there, with the one that was meant where it is a letter away.

locals {
  # What is a member where the place has another kind, such as the issuers of a cluster for an account: a variable of yours that is typed
  # brings it along as null, and null leaves a member out.
  choices = { for place in keys(local.places) : place => regex("^.*/", place) if can(regex("/[a-z]+$", place)) }
  elsewhere = { for place, kind in local.choices : place => merge([
    for other, its_kind in local.choices : local.places[other].members if its_kind == kind
  ]...) }

  strangers = flatten([for node in local.objects : [
    for name in keys(node.value) : { path = node.path, name = name, known = keys(local.places[node.place].members) }
    if !can(local.places[node.place].members[name]) && !can(local.places[node.place].open)
    && (can(local.elsewhere[node.place][name]) ? node.value[name] != null : true)
  ]])

  # Two words are a letter apart, or have two letters swapped, where one is left of both by taking at most a letter away.
  near = [for stranger in local.strangers : [
    for known in stranger.known : known
    if length(setintersection(
      concat([stranger.name], [for i in range(min(length(stranger.name), 200)) : join("", [substr(stranger.name, 0, i), substr(stranger.name, i + 1, -1)])]),
      concat([known], [for i in range(length(known)) : join("", [substr(known, 0, i), substr(known, i + 1, -1)])]),
    )) > 0
  ]]

  unknown_members = [
    for index, stranger in local.strangers :
    "${trimprefix("${stranger.path}.${stranger.name}", ".")}: there is no such member: ${length(local.near[index]) == 0
      ? "there are ${join(", ", stranger.known)}"
    : "did you mean ${local.near[index][0]}?"} [member_unknown]"
  ]
}
