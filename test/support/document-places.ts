/** The shape of the federation document, place by place, as Terraform's language can check it: no recursion, no lookaheads. */

import { z } from 'zod'
import { verifiers } from '../../providers/verifiers.ts'
import { createDocumentSchema } from '../../src/federation/document.ts'

/** What the schema of one value says, as far as it is used here. `says` is what zod would say of a value that is not of this form. */
interface JsonSchema {
  readonly type?: string
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | JsonSchema
  readonly propertyNames?: JsonSchema
  readonly oneOf?: readonly JsonSchema[]
  readonly anyOf?: readonly JsonSchema[]
  readonly items?: JsonSchema
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly pattern?: string
  readonly [keyword: string]: unknown
}

/** What must be true of one value that holds no named members. Absent members ask for nothing. */
type Rule = Readonly<Record<string, unknown>>

/** An object with named members. Of a union, `by` names the member that says which: `PLACE/VALUE` has the rest. */
export interface Place {
  readonly by?: string
  /** Whether members beyond these may stand there. */
  readonly open?: true
  readonly required: readonly string[]
  readonly members: Readonly<Record<string, Rule>>
}

/** Gives every place of the document that has named members, by its path: a record's values are `.*`, a union's choices `/NAME`. */
export function readPlaces(): ReadonlyMap<string, Place> {
  const schema = z.toJSONSchema(createDocumentSchema(verifiers), {
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      const says = (zodSchema._zod.def.checks ?? []).map(messageOf).find((message) => typeof message === 'string')
      if (says !== undefined) jsonSchema.says = says
    },
  }) as JsonSchema
  const places = new Map<string, Place>()
  addPlace(places, '', schema)
  return places
}

/** What a check was told to say, and not what zod says of its own. */
function messageOf({ _zod: { def } }: z.core.$ZodCheck<never>): unknown {
  const tell = def.error as ((issue: object) => unknown) | undefined
  return tell?.({})
}

function addPlace(places: Map<string, Place>, path: string, schema: JsonSchema): void {
  if (schema.oneOf === undefined) {
    const members = Object.entries(schema.properties ?? {}).filter(([name]) => path !== '' || name !== 'version')
    const rules = members.map(([name, member]) => [
      name,
      ruleOf(places, path === '' ? name : `${path}.${name}`, member),
    ])
    const open = schema.additionalProperties === false ? {} : { open: true as const }
    const required = (schema.required ?? []).filter((name) => path !== '' || name !== 'version')
    places.set(path, { ...open, required, members: Object.fromEntries(rules) })
    return
  }
  const by =
    Object.entries(schema.oneOf[0]?.properties ?? {}).find(([, member]) => member.const !== undefined)?.[0] ?? ''
  const names = schema.oneOf.map((choice) => String(choice.properties?.[by]?.const))
  places.set(path, { by, open: true, required: [by], members: { [by]: { kinds: ['string'], enum: names } } })
  for (const [index, choice] of schema.oneOf.entries()) addPlace(places, `${path}/${names[index]}`, choice)
}

function ruleOf(places: Map<string, Place>, path: string, schema: JsonSchema): Rule {
  if (schema.properties !== undefined || schema.oneOf !== undefined) {
    addPlace(places, path, schema)
    return { kinds: ['object'], place: path }
  }
  if (schema.type === 'object') return recordRuleOf(places, path, schema)
  if (schema.anyOf !== undefined)
    return { kinds: schema.anyOf.map(({ type }) => kindOf(type)), ...merged(schema.anyOf) }
  if (schema.type !== 'array') return leafRuleOf(schema)
  const { minItems, maxItems, says } = schema
  const items = schema.items?.properties === undefined ? leafRuleOf(schema.items ?? {}) : { kinds: ['object'] }
  return prune({ kinds: ['array'], min_items: minItems, max_items: maxItems, says, items })
}

/** Either is allowed: what is asked of the items of a list goes with the list alone. */
function merged(choices: readonly JsonSchema[]): Rule {
  const list = choices.find(({ type }) => type === 'array')
  const { minItems, maxItems, says } = list ?? {}
  return prune({ min_items: minItems, max_items: maxItems, says, items: leafRuleOf(list?.items ?? {}) })
}

function recordRuleOf(places: Map<string, Place>, path: string, schema: JsonSchema): Rule {
  const keys = leafRuleOf(schema.propertyNames ?? {})
  const values = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : {}
  if (values.properties !== undefined || values.oneOf !== undefined) {
    addPlace(places, `${path}.*`, values)
    return { kinds: ['object'], keys, each: `${path}.*` }
  }
  const isAnything = values.$ref !== undefined
  return { kinds: ['object'], keys, ...(isAnything ? {} : { values: ruleOf(places, `${path}.*`, values) }) }
}

function leafRuleOf(schema: JsonSchema): Rule {
  const { type, pattern, minimum, maximum, maxLength, says } = schema
  const choices = schema.const === undefined ? schema.enum : [schema.const]
  return prune({
    kinds: type === undefined ? undefined : [kindOf(type)],
    is_whole: type === 'integer' ? true : undefined,
    enum: choices,
    ...patternsOf(pattern),
    min: minimum,
    max: maximum,
    max_length: maxLength,
    says,
  })
}

function kindOf(type: string | undefined): string {
  return type === 'integer' ? 'number' : String(type)
}

/** Terraform's regular expressions look neither ahead nor back: a lookahead at the beginning is a pattern of its own. */
export function patternsOf(pattern: string | undefined): {
  patterns?: readonly string[]
  not_patterns?: readonly string[]
} {
  if (pattern === undefined) return {}
  const plain = pattern.replaceAll('\\/', '/')
  const lookahead = /^\^\(\?([=!])((?:[^()]|\([^()]*\))*)\)/.exec(plain)
  if (lookahead === null) return { patterns: [plain] }
  const rest = `^${plain.slice(lookahead[0].length)}`
  const ahead = `^${lookahead[2]}`
  return lookahead[1] === '=' ? { patterns: [ahead, rest] } : { patterns: [rest], not_patterns: [ahead] }
}

function prune(rule: Rule): Rule {
  return Object.fromEntries(Object.entries(rule).filter(([, value]) => value !== undefined))
}
