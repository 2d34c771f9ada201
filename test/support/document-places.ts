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
  readonly minimum?: number
  readonly maximum?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly says?: string
  readonly $ref?: string
}

/** What must be true of one value. Every member is there, as Terraform has no member that may be absent. */
interface Rule {
  readonly kinds: readonly string[]
  readonly enum: readonly unknown[]
  readonly patterns: readonly string[]
  readonly not_patterns: readonly string[]
  readonly is_whole: boolean
  readonly says: string
  /** Of an object with named members, its place; of a record of such, the place of each. */
  readonly place: string
  readonly each: string
  readonly min: number | null
  readonly max: number | null
  readonly max_length: number | null
  readonly min_items: number | null
  readonly max_items: number | null
  /** Of a list, the rule of its items; of a record, those of its names and of its values. Rules are named, never nested: a value is copied wherever it goes. */
  readonly items: string
  readonly keys: string
  readonly values: string
}

/** Asks for nothing. */
const ANYTHING: Rule = {
  ...{ kinds: [], enum: [], patterns: [], not_patterns: [], is_whole: false, says: '', place: '', each: '' },
  ...{
    min: null,
    max: null,
    max_length: null,
    min_items: null,
    max_items: null,
    items: '',
    keys: '',
    values: '',
  },
}

/** An object with named members. Of a union, `by` names the member that says which: `PLACE/VALUE` has the rest. */
export interface Place {
  readonly by?: string
  /** Whether members beyond these may stand there. */
  readonly open?: true
  readonly required: readonly string[]
  /** The rule of each member, by name. */
  readonly members: Readonly<Record<string, string>>
}

/** All places, and all rules by the names that places and other rules call them. */
export interface DocumentPlaces {
  readonly places: ReadonlyMap<string, Place>
  readonly rules: ReadonlyMap<string, Rule>
}

/** Gives every place of the document that has named members, by its path: a record's values are `.*`, a union's choices `/NAME`. */
export function readPlaces(): DocumentPlaces {
  const schema = z.toJSONSchema(createDocumentSchema(verifiers), {
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      const says = (zodSchema._zod.def.checks ?? []).map(messageOf).find((message) => typeof message === 'string')
      if (says !== undefined) jsonSchema.says = says
    },
  }) as JsonSchema
  const found: Found = { places: new Map(), rules: new Map() }
  addPlace(found, '', schema)
  return found
}

interface Found {
  readonly places: Map<string, Place>
  readonly rules: Map<string, Rule>
}

/** What a check was told to say, and not what zod says of its own. */
function messageOf({ _zod: { def } }: z.core.$ZodCheck<never>): unknown {
  const tell = def.error as ((issue: object) => unknown) | undefined
  return tell?.({})
}

function addPlace(found: Found, path: string, schema: JsonSchema): void {
  if (schema.oneOf === undefined) {
    const isVersion = (name: string): boolean => path === '' && name === 'version'
    const members = Object.entries(schema.properties ?? {}).filter(([name]) => !isVersion(name))
    found.places.set(path, {
      ...(schema.additionalProperties === false ? {} : { open: true }),
      required: (schema.required ?? []).filter((name) => !isVersion(name)),
      members: Object.fromEntries(
        members.map(([name, member]) => [name, addRule(found, path === '' ? name : `${path}.${name}`, member)]),
      ),
    })
    return
  }
  const by =
    Object.entries(schema.oneOf[0]?.properties ?? {}).find(([, member]) => member.const !== undefined)?.[0] ?? ''
  const names = schema.oneOf.map((choice) => String(choice.properties?.[by]?.const))
  const rule = nameRule(found, `${path}.${by}`, { ...ANYTHING, kinds: ['string'], enum: names })
  found.places.set(path, { by, open: true, required: [by], members: { [by]: rule } })
  for (const [index, choice] of schema.oneOf.entries()) addPlace(found, `${path}/${names[index]}`, choice)
}

/** Adds a rule, unless another says the same, and gives the name of whichever there is. */
function nameRule(found: Found, name: string, rule: Rule): string {
  const same = [...found.rules].find(([, other]) => JSON.stringify(other) === JSON.stringify(rule))
  if (same !== undefined) return same[0]
  found.rules.set(name, rule)
  return name
}

function addRule(found: Found, path: string, schema: JsonSchema): string {
  return nameRule(found, path, ruleOf(found, path, schema))
}

function ruleOf(found: Found, path: string, schema: JsonSchema): Rule {
  if (schema.properties !== undefined || schema.oneOf !== undefined) {
    addPlace(found, path, schema)
    return { ...ANYTHING, kinds: ['object'], place: path }
  }
  if (schema.type === 'object') return recordRuleOf(found, path, schema)
  if (schema.anyOf === undefined) return schema.type === 'array' ? listRuleOf(found, path, schema) : leafRuleOf(schema)
  // Of one value or a list of them, what is asked of a list goes with the list alone.
  const list = schema.anyOf.find(({ type }) => type === 'array') ?? {}
  return { ...listRuleOf(found, path, list), kinds: schema.anyOf.map(({ type }) => kindOf(type)) }
}

function listRuleOf(found: Found, path: string, schema: JsonSchema): Rule {
  const { minItems = null, maxItems = null, says = '', items = {} } = schema
  const rule = items.properties === undefined ? leafRuleOf(items) : { ...ANYTHING, kinds: ['object'] }
  const each = nameRule(found, `${path}[]`, rule)
  return { ...ANYTHING, kinds: ['array'], min_items: minItems, max_items: maxItems, says, items: each }
}

function recordRuleOf(found: Found, path: string, schema: JsonSchema): Rule {
  const keys = nameRule(found, `${path}{}`, leafRuleOf(schema.propertyNames ?? {}))
  const rule = { ...ANYTHING, kinds: ['object'], keys }
  const values = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : {}
  if (values.properties !== undefined || values.oneOf !== undefined) {
    addPlace(found, `${path}.*`, values)
    return { ...rule, each: `${path}.*` }
  }
  const isAnything = values.$ref !== undefined
  return isAnything ? rule : { ...rule, values: addRule(found, `${path}.*`, values) }
}

function leafRuleOf(schema: JsonSchema): Rule {
  const { type, pattern, minimum = null, maximum = null, maxLength = null, says = '' } = schema
  return {
    ...ANYTHING,
    kinds: type === undefined ? [] : [kindOf(type)],
    is_whole: type === 'integer',
    enum: schema.const === undefined ? (schema.enum ?? []) : [schema.const],
    ...patternsOf(pattern),
    min: minimum,
    max: maximum,
    max_length: maxLength,
    says,
  }
}

function kindOf(type: string | undefined): string {
  return type === 'integer' ? 'number' : String(type)
}

/** Terraform's regular expressions look neither ahead nor back: a lookahead at the beginning is a pattern of its own. */
export function patternsOf(pattern: string | undefined): Pick<Rule, 'patterns' | 'not_patterns'> {
  if (pattern === undefined) return { patterns: [], not_patterns: [] }
  const plain = pattern.replaceAll('\\/', '/')
  const lookahead = /^\^\(\?([=!])((?:[^()]|\([^()]*\))*)\)/.exec(plain)
  if (lookahead === null) return { patterns: [plain], not_patterns: [] }
  const rest = `^${plain.slice(lookahead[0].length)}`
  const ahead = `^${lookahead[2]}`
  return lookahead[1] === '='
    ? { patterns: [ahead, rest], not_patterns: [] }
    : { patterns: [rest], not_patterns: [ahead] }
}
