# One level of the document's schema. Terraform drops what an object type does not name, so inputs are `any` and every key is
# looked up here. The language has no recursion: whoever calls this passes `children` to the next level.

locals {
  places = var.catalogue.places
  # Rules are called by name, as whatever stands in a list is copied with it.
  rules = var.catalogue.rules

  kinds = { "\"" = "string", "{" = "object", "[" = "array", "t" = "boolean", "f" = "boolean", "n" = "null" }

  # Where a place is a union, the member that tells its choices apart names one, or none.
  nodes = [for node in var.nodes : {
    path  = node.path
    value = node.value
    place = try(
      local.places["${node.place}/${node.value[local.places[node.place].by]}"] != null
      ? "${node.place}/${node.value[local.places[node.place].by]}" : node.place,
      node.place
    )
  }]

  objects = [for node in local.nodes : node if can(keys(node.value))]

  # Members with the rule that they must keep. Null is how Terraform leaves a member out.
  members = flatten([for node in local.objects : [
    for name in keys(node.value) : {
      path  = trimprefix("${node.path}.${name}", ".")
      value = node.value[name]
      rule  = local.places[node.place].members[name]
    } if can(local.places[node.place].members[name]) && node.value[name] != null
  ]])

  records = [for member in local.members : member if contains(local.rules[member.rule].kinds, "object") && can(keys(member.value))]
  plain   = [for member in local.members : member if !(contains(local.rules[member.rule].kinds, "object") && can(keys(member.value)))]

  # Values that hold no members of their own: members, items of lists, names and values of records.
  leaves = concat(
    [for member in local.plain : { path = member.path, value = member.value, rule = member.rule, code = "shape" }],
    flatten([for member in local.plain : [
      for index, item in try([for each in member.value : each], []) : {
        path = "${member.path}[${index}]", value = item, rule = local.rules[member.rule].items, code = "shape"
      }
    ] if local.rules[member.rule].items != "" && !can(keys(member.value))]),
    flatten([for member in local.records : [
      for name in keys(member.value) : {
        path = "${member.path}[\"${name}\"]", value = name, rule = local.rules[member.rule].keys, code = "name_malformed"
      }
    ] if local.rules[member.rule].keys != ""]),
    flatten([for member in local.records : [
      for name in keys(member.value) : {
        path = "${member.path}[\"${name}\"]", value = member.value[name], rule = local.rules[member.rule].values, code = "shape"
      }
    ] if local.rules[member.rule].values != ""]),
    flatten([for member in local.records : [
      for name in keys(member.value) : [for index, item in try([for each in member.value[name] : each], []) : {
        path = "${member.path}[\"${name}\"][${index}]", value = item, rule = local.rules[local.rules[member.rule].values].items, code = "shape"
      }] if !can(keys(member.value[name]))
    ] if try(local.rules[local.rules[member.rule].values].items, "") != ""]),
  )

  kinds_of_leaves = [for leaf in local.leaves : try(local.kinds[substr(jsonencode(leaf.value), 0, 1)], "number")]
}
