# What is not of the form that the document's schema asks for.

locals {
  not_objects = [for node in local.nodes : "${node.path}: this must be an object [shape]" if !can(keys(node.value))]

  missing = flatten([for node in local.objects : [
    for name in local.places[node.place].required : "${node.path}: ${name} is missing [shape]"
    if try(node.value[name], null) == null
  ]])

  # A leaf of another kind has this problem and no other.
  wrong_kinds = [for index, leaf in local.leaves : "${leaf.path}: this must be ${join(" or ", leaf.rule.kinds)} [shape]"
  if length(leaf.rule.kinds) > 0 && !contains(leaf.rule.kinds, local.kinds_of_leaves[index])]

  texts = [for index, leaf in local.leaves : leaf if local.kinds_of_leaves[index] == "string"
  && (length(leaf.rule.kinds) == 0 || contains(leaf.rule.kinds, "string"))]
  numbers = [for index, leaf in local.leaves : leaf if local.kinds_of_leaves[index] == "number" && contains(leaf.rule.kinds, "number")]
  lists   = [for index, leaf in local.leaves : leaf if local.kinds_of_leaves[index] == "array" && contains(leaf.rule.kinds, "array")]

  wrong_texts = concat(
    [for leaf in local.texts : "${leaf.path}: ${jsonencode(leaf.value)} is none of ${join(", ", leaf.rule.enum)} [shape]"
    if length(leaf.rule.enum) > 0 && !contains(leaf.rule.enum, leaf.value)],
    [for leaf in local.texts : "${leaf.path}: ${jsonencode(leaf.value)}: ${leaf.rule.says} [${leaf.code}]"
      if anytrue(concat(
        [for pattern in leaf.rule.patterns : !can(regex(pattern, leaf.value))],
        [for pattern in leaf.rule.not_patterns : can(regex(pattern, leaf.value))],
    ))],
    [for leaf in local.texts : "${leaf.path}: at most ${leaf.rule.max_length} characters may stand here [${leaf.code}]"
    if leaf.rule.max_length != null && length(leaf.value) > coalesce(leaf.rule.max_length, 0)],
  )

  wrong_numbers = [for leaf in local.numbers : "${leaf.path}: this must be a whole number from ${leaf.rule.min} to ${leaf.rule.max} [shape]"
    if leaf.rule.is_whole && (floor(leaf.value) != leaf.value || leaf.value < leaf.rule.min || leaf.value > leaf.rule.max)
  ]

  wrong_lists = concat(
    [for leaf in local.lists : "${leaf.path}: ${coalesce(leaf.rule.says, "this list must not be empty")} [shape]"
    if leaf.rule.min_items != null && length(leaf.value) < coalesce(leaf.rule.min_items, 0)],
    [for leaf in local.lists : "${leaf.path}: at most ${leaf.rule.max_items} may stand here [shape]"
    if leaf.rule.max_items != null && length(leaf.value) > coalesce(leaf.rule.max_items, 0)],
  )
}
