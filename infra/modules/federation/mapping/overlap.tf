# That every proof has one identity: no two bindings collide, and no caller could choose between two.

locals {
  # Only what is pinned is ready; the rest has its problem already.
  ready = { for name, match in module.conditions.matches : name => {
    group     = local.bound[name].trusted_issuer
    identity  = local.bound[name].identity
    suspended = try(local.bound[name].suspended, false)
    provider  = local.bound[name].provider
    match     = match
  } if var.is_overlap_proved && !can(local.unpinned[name]) }

  collisions = [for meeting in module.meetings.meetings : merge(meeting, {
    identities = [local.ready[meeting.one].identity, local.ready[meeting.other].identity]
  }) if meeting.is_inside == meeting.is_around]

  overlap_problems = concat(
    [for each in local.collisions : "bindings[\"${each.other}\"]: ${each.one} and ${each.other} match exactly the same proofs: remove one [bindings_equal]"
    if each.is_inside && each.is_around],
    [for each in local.collisions : "bindings[\"${each.other}\"]: ${each.one} (${each.identities[0]}) and ${each.other} (${each.identities[1]}) both match some proofs, and neither is the narrower: fix one more attribute in one of them, or let both name one identity [bindings_overlap]"
    if !each.is_inside && each.identities[0] != each.identities[1]],
    [for names in module.meetings.crowds : "bindings[\"${names[length(names) - 1]}\"]: ${names[0]} and ${length(names) - 1} others match some proofs by the same attributes: let at most ${local.limits.in_one_cell} do so [bindings_crowded]"
    if length(names) > local.limits.in_one_cell],
    [for issuer, count in module.meetings.shapes : "trusted_issuers[\"${issuer}\"]: its bindings use ${count} sets of attributes; at most ${local.limits.shapes} are allowed [shapes_too_many]"
    if count > local.limits.shapes],
    module.meetings.is_complete && module.choices.is_complete ? [] : ["bindings: they meet in more pairs, or their lists make more combinations, than a plan can look at: run \"chancery check\" on the document and say so with overlap_proved_by = \"check\" [overlap_unproven]"],
  )

  callers = { for name, each in local.ready : name => [
    for attribute in keys(each.match) : attribute if local.grades[each.provider][attribute].grade == "caller"
  ] }
  # By provider, the attributes that its bindings ask for.
  attributes = { for each in values(local.ready) : each.provider => keys(each.match)... }
  grades = { for provider, lists in local.attributes : provider => { for attribute in distinct(flatten(lists)) : attribute => try(
    var.catalogue.providers[provider].attributes[attribute],
    [for family, facts in var.catalogue.providers[provider].families : facts if startswith(attribute, family)][0]
  ) } }
  choosing = { for name, attributes in local.callers : local.ready[name].group => name... if length(attributes) > 0 }

  # The narrower of two, without what its caller may choose, lies inside the other.
  choices = [for meeting in module.choices.meetings : merge(meeting, {
    attributes  = sort(distinct(concat(local.callers[meeting.one], local.callers[meeting.other])))
    identities  = [local.ready[meeting.one].identity, local.ready[meeting.other].identity]
    may_stand   = alltrue([for attribute in concat(local.callers[meeting.one], local.callers[meeting.other]) : local.grades[local.ready[meeting.one].provider][attribute].may_decide])
    suspended   = local.ready[meeting.one].suspended ? meeting.one : meeting.other
    unsuspended = local.ready[meeting.one].suspended ? meeting.other : meeting.one
    }) if(meeting.is_inside && length(local.callers[meeting.one]) > 0) || (meeting.is_around && length(local.callers[meeting.other]) > 0)
  ]
  told = [for each in local.choices : merge(each, {
    message    = each.identities[0] == each.identities[1] ? "bindings[\"${each.other}\"]: ${each.suspended} is suspended and ${each.unsuspended} is not, and only ${join(" and ", each.attributes)} tells them apart, which is the caller's to say: suspend both [suspension_evadable]" : "bindings[\"${each.other}\"]: only ${join(" and ", each.attributes)} tells ${each.one} (${each.identities[0]}) from ${each.other} (${each.identities[1]}), and that is the caller's to say [caller_chooses]"
    is_warning = each.may_stand || each.identities[0] == each.identities[1]
    }) if each.identities[0] != each.identities[1] || local.ready[each.one].suspended != local.ready[each.other].suspended
  ]
}

module "meetings" {
  source = "../meetings"
  items  = { for name, each in local.ready : name => { group = each.group, label = each.identity, match = each.match } }
}

# Most documents have no condition that a caller may choose, so that there is nothing to compare.
module "choices" {
  source = "../meetings"
  items = { for name, each in local.ready : name => {
    group = each.group
    label = jsonencode([each.identity, each.suspended])
    match = { for attribute, values in each.match : attribute => values if !contains(local.callers[name], attribute) }
  } if can(local.choosing[each.group]) }
}
