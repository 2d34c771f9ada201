# One level of the document's schema. Terraform drops what an object type does not name, so inputs are `any` and every key is
# looked up here. The language has no recursion: whoever calls this passes `children` to the next level.

locals {
  places = jsondecode(file("${path.module}/../catalogue.json")).places

  # Members that a rule leaves out ask for nothing.
  no_rule = {
    kinds = [], enum = [], patterns = [], not_patterns = [], is_whole = false, says = "", place = "", each = ""
    min   = null, max = null, max_length = null, min_items = null, max_items = null, items = null, keys = null, values = null
  }
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
      rule  = merge(local.no_rule, local.places[node.place].members[name])
    } if can(local.places[node.place].members[name]) && node.value[name] != null
  ]])

  records = [for member in local.members : member if contains(member.rule.kinds, "object") && can(keys(member.value))]

  # Values that hold no members of their own: members, items of lists, names and values of records.
  leaves = concat(
    [for member in local.members : { path = member.path, value = member.value, rule = member.rule, code = "shape" }],
    flatten([for member in local.members : [
      for index, item in try(tolist(member.value), [for each in member.value : each], []) : {
        path = "${member.path}[${index}]", value = item, rule = merge(local.no_rule, member.rule.items), code = "shape"
      }
    ] if member.rule.items != null && !can(keys(member.value))]),
    flatten([for member in local.records : [
      for name in keys(member.value) : {
        path = "${member.path}[\"${name}\"]", value = name, rule = merge(local.no_rule, member.rule.keys), code = "name_malformed"
      }
    ] if member.rule.keys != null]),
    flatten([for member in local.records : [
      for name, value in member.value : {
        path = "${member.path}[\"${name}\"]", value = value, rule = merge(local.no_rule, member.rule.values), code = "shape"
      }
    ] if member.rule.values != null]),
    flatten([for member in local.records : [
      for name, value in member.value : [for index, item in try([for each in value : each], []) : {
        path = "${member.path}[\"${name}\"][${index}]", value = item, rule = merge(local.no_rule, member.rule.values.items), code = "shape"
      }] if !can(keys(value))
    ] if try(member.rule.values.items, null) != null]),
  )

  kinds_of_leaves = [for leaf in local.leaves : lookup(local.kinds, substr(jsonencode(leaf.value), 0, 1), "number")]
}
