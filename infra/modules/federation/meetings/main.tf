# Finds the matches that some proof would satisfy together. All of one shape (a set of attributes, with the length of the one prefix)
# stand in one table, and each two shapes are joined on what they share: the work grows with the items and what meets, not with the
# square of the items. src/federation/overlap.ts does the same.

locals {
  shapes_of = { for name, item in var.items : name => {
    group      = item.group
    attributes = keys(item.match)
    prefixed   = try([for attribute, values in item.match : attribute if endswith(values[0], "*")][0], "")
    cut        = try([for values in values(item.match) : length(values[0]) - 1 if endswith(values[0], "*")][0], 0)
  } }
  shape_names = { for name, shape in local.shapes_of : name => jsonencode(shape) }
  shapes      = { for name, shape in local.shapes_of : local.shape_names[name] => shape... }

  sizes       = [for item in var.items : pow(10, sum(concat([0], [for values in values(item.match) : log(length(values), 10)])))]
  cell_count  = floor(sum(concat([0], local.sizes)) + 0.5)
  is_bearable = local.cell_count <= var.most_cells

  # Each combination of an item's values is a cell. The two dashes are there because a product needs two factors.
  cells = { for name, item in var.items : local.shape_names[name] => [
    for combination in setproduct(["-"], ["-"], [for values in values(item.match) : [for value in values : trimsuffix(value, "*")]]...) :
    { name = name, label = item.label, values = zipmap(keys(item.match), slice(combination, 2, length(combination))) }
  ]... if local.is_bearable }
  rows = { for shape, cells in local.cells : shape => flatten(cells) }

  by_group = { for shape, members in local.shapes : members[0].group => shape... }

  # Two shapes agree on the attributes that both have, each cut to the length that both ask for.
  joins = flatten([for group, names in local.by_group : [for index, left in names : [for right in slice(names, index, length(names)) : {
    left  = left
    right = right
    exact = [for attribute in local.shapes[left][0].attributes : attribute if contains(local.shapes[right][0].attributes, attribute)
    && attribute != local.shapes[left][0].prefixed && attribute != local.shapes[right][0].prefixed]
    cuts = [for attribute in local.shapes[left][0].attributes : {
      attribute = attribute
      length = min(
        attribute == local.shapes[left][0].prefixed ? local.shapes[left][0].cut : 1000,
        attribute == local.shapes[right][0].prefixed ? local.shapes[right][0].cut : 1000,
      )
      } if contains(local.shapes[right][0].attributes, attribute)
    && (attribute == local.shapes[left][0].prefixed || attribute == local.shapes[right][0].prefixed)]
  }]]])

  tables = [for join in local.joins : { for row in try(local.rows[join.left], []) : jsonencode(concat(
    [for attribute in join.exact : row.values[attribute]],
    [for cut in join.cuts : substr(row.values[cut.attribute], 0, cut.length)],
  )) => row... }]

  probes = [for join in local.joins : [for row in try(local.rows[join.right], []) : merge(row, { key = jsonencode(concat(
    [for attribute in join.exact : row.values[attribute]],
    [for cut in join.cuts : substr(row.values[cut.attribute], 0, cut.length)],
  )) })] if join.left != join.right]
  tables_of_probes = [for index, join in local.joins : local.tables[index] if join.left != join.right]
  tables_of_one    = [for index, join in local.joins : local.tables[index] if join.left == join.right]

  meeting_count = sum(concat(
    [0],
    flatten([for index, probes in local.probes : [for probe in probes : length(try(local.tables_of_probes[index][probe.key], []))]]),
    flatten([for table in local.tables_of_one : [for rows in values(table) : length(rows) * (length(rows) - 1) / 2]]),
  ))
  is_complete = local.is_bearable && local.meeting_count <= var.most_meetings

  # Items of one label need no judging, unless they could be equal.
  pairs = concat(
    flatten([for index, probes in local.probes : [for probe in probes : [
      for row in try(local.tables_of_probes[index][probe.key], []) : { names = sort([row.name, probe.name]) } if row.label != probe.label
    ]] if local.is_complete]),
    flatten([for table in local.tables_of_one : [for rows in values(table) : [
      for index, row in rows : [for other in slice(rows, index + 1, length(rows)) : { names = sort([row.name, other.name]) } if row.name != other.name]
    ] if length(rows) > 1] if local.is_complete]),
  )
  once = { for pair in local.pairs : jsonencode(pair.names) => pair.names... }

  meetings = [for names in values(local.once) : {
    one   = names[0][0]
    other = names[0][1]
    is_inside = alltrue([for attribute, outer in var.items[names[0][1]].match : try(alltrue([
      for value in var.items[names[0][0]].match[attribute] : contains(outer, value) || (endswith(outer[0], "*") && startswith(value, trimsuffix(outer[0], "*")))
    ]), false)])
    is_around = alltrue([for attribute, outer in var.items[names[0][0]].match : try(alltrue([
      for value in var.items[names[0][1]].match[attribute] : contains(outer, value) || (endswith(outer[0], "*") && startswith(value, trimsuffix(outer[0], "*")))
    ]), false)])
  }]
}
