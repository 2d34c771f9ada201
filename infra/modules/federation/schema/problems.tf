# What is not of the form that the document's schema asks for.

locals {
  not_objects = [for node in local.nodes : "${node.path}: this must be an object [shape]" if !can(keys(node.value))]

  missing = flatten([for node in local.objects : [
    for name in local.places[node.place].required : "${trimprefix("${node.path}.", ".")}${name} is missing [shape]"
    if try(node.value[name], null) == null
  ]])

  # A leaf of another kind has this problem and no other.
  wrong_kinds = [for index, leaf in local.leaves : "${leaf.path}: this must be ${join(" or ", local.rules[leaf.rule].kinds)}${local.kinds_of_leaves[index] == "null" ? ", and not null" : ""} [${leaf.code}]"
  if length(local.rules[leaf.rule].kinds) > 0 && !contains(local.rules[leaf.rule].kinds, local.kinds_of_leaves[index])]

  texts = [for index, leaf in local.leaves : leaf if local.kinds_of_leaves[index] == "string"
  && (length(local.rules[leaf.rule].kinds) == 0 || contains(local.rules[leaf.rule].kinds, "string"))]
  numbers = [for index, leaf in local.leaves : leaf if local.kinds_of_leaves[index] == "number" && contains(local.rules[leaf.rule].kinds, "number")]
  lists   = [for index, leaf in local.leaves : leaf if local.kinds_of_leaves[index] == "array" && contains(local.rules[leaf.rule].kinds, "array")]

  # A pattern is costly to read, so it is read once for all texts of a rule, a line each: where as many lines have it as there are
  # texts, all of them do.
  by_rule = { for leaf in local.texts : leaf.rule => leaf.value... }
  suspicious = { for rule, texts in local.by_rule : rule => true if length(local.rules[rule].not_patterns) > 0
    || length(split("\n", join("\n", texts))) != length(texts)
  || anytrue([for pattern in local.rules[rule].patterns : length(regexall("(?m:${pattern})", join("\n", texts))) != length(texts)]) }

  wrong_texts = concat(
    [for leaf in local.texts : "${leaf.path}: ${jsonencode(leaf.value)} is none of ${join(", ", local.rules[leaf.rule].enum)} [${leaf.code}]"
    if length(local.rules[leaf.rule].enum) > 0 && !contains(local.rules[leaf.rule].enum, leaf.value)],
    [for leaf in [for each in local.texts : each if can(local.suspicious[each.rule])] : "${leaf.path}: ${jsonencode(leaf.value)}: ${local.rules[leaf.rule].says} [${leaf.code}]"
      if anytrue(concat(
        [for pattern in local.rules[leaf.rule].patterns : !can(regex(pattern, leaf.value))],
        [for pattern in local.rules[leaf.rule].not_patterns : can(regex(pattern, leaf.value))],
    ))],
    [for leaf in [for each in local.texts : each if local.rules[each.rule].max_length != null] : "${leaf.path}: at most ${local.rules[leaf.rule].max_length} characters may stand here [${leaf.code}]"
    if length(leaf.value) > local.rules[leaf.rule].max_length],
  )

  wrong_numbers = [for leaf in local.numbers : "${leaf.path}: this must be a whole number from ${local.rules[leaf.rule].min} to ${local.rules[leaf.rule].max} [shape]"
    if floor(leaf.value) != leaf.value || leaf.value < local.rules[leaf.rule].min || leaf.value > local.rules[leaf.rule].max
  ]

  wrong_lists = concat(
    [for leaf in [for each in local.lists : each if local.rules[each.rule].min_items != null] : "${leaf.path}: ${coalesce(local.rules[leaf.rule].says, "this list must not be empty")} [shape]"
    if length(leaf.value) < local.rules[leaf.rule].min_items],
    [for leaf in [for each in local.lists : each if local.rules[each.rule].max_items != null] : "${leaf.path}: at most ${local.rules[leaf.rule].max_items} may stand here [shape]"
    if length(leaf.value) > local.rules[leaf.rule].max_items],
  )
}
