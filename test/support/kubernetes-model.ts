/** What Kubernetes' own model knows of an object: names of fields and types of values, as its official client has them. */

import * as client from '@kubernetes/client-node'

interface Field {
  readonly baseName: string
  readonly type: string
}

/** The client's generated models, by name. Each carries its fields with it. */
const MODELS = new Map(
  Object.entries(client).flatMap(([name, model]) => {
    const fields: unknown = typeof model === 'function' && Reflect.get(model, 'attributeTypeMap')
    return Array.isArray(fields) ? [[name, fields as readonly Field[]] as const] : []
  }),
)

/** Groups whose objects the client has models for, and how it calls their versions. */
const MODEL_OF_VERSION: Readonly<Record<string, string>> = {
  v1: 'V1',
  'apps/v1': 'V1',
  'networking.k8s.io/v1': 'V1',
  'policy/v1': 'V1',
  'rbac.authorization.k8s.io/v1': 'V1',
  'storage.k8s.io/v1': 'V1',
}

/** Gives every field of an object that Kubernetes does not have, or has with another type. Undefined where its kind is somebody else's. */
export function faultsOf(object: {
  readonly apiVersion: string
  readonly kind: string
}): readonly string[] | undefined {
  const version = MODEL_OF_VERSION[object.apiVersion]
  return version === undefined ? undefined : compare(object, `${version}${object.kind}`, object.kind)
}

function compare(value: unknown, type: string, path: string): readonly string[] {
  const list = /^Array<(.+)>$/.exec(type)?.[1]
  if (list !== undefined) {
    if (!Array.isArray(value)) return [`${path}: is no list`]
    return value.flatMap((item, index) => compare(item, list, `${path}/${index}`))
  }
  const map = /^\{ \[key: string\]: (.+); \}$/.exec(type)?.[1]
  if (map !== undefined) return fieldsOf(value, path, (name, inner) => compare(inner, map, `${path}/${name}`))
  if (type === 'any') return []
  if (type === 'IntOrString') return ['string', 'number'].includes(typeof value) ? [] : [`${path}: is no IntOrString`]
  if (['string', 'number', 'boolean'].includes(type)) return isPlain(value, type) ? [] : [`${path}: is no ${type}`]
  const model = MODELS.get(type)
  if (model === undefined) return [`${path}: ${type} is unknown here`]
  return fieldsOf(value, path, (name, inner) => {
    const field = model.find(({ baseName }) => baseName === name)
    return field === undefined ? [`${path}/${name}: is no field`] : compare(inner, field.type, `${path}/${name}`)
  })
}

function isPlain(value: unknown, type: string): boolean {
  return type === 'number' ? Number.isInteger(value) : typeof value === type
}

function fieldsOf(
  value: unknown,
  path: string,
  check: (name: string, inner: unknown) => readonly string[],
): readonly string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${path}: is no object`]
  return Object.entries(value).flatMap(([name, inner]) => check(name, inner))
}
