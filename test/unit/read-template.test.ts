/** What a document may say of templates and of the entries that they take, and where it is told that it may not. */

import { describe, expect, test } from 'vitest'
import { bindingFor } from '../support/document.ts'
import { findingsIn, tell } from '../support/federation-parts.ts'

const AT = '/bindings/b/identity'
const TEMPLATE = 'preview/{kubernetes.namespace}'
const PREVIEWS = { 'preview/*': {} }

function errorsOf(
  identity: string,
  identities: object = PREVIEWS,
  namespace: unknown = 'preview-*',
): readonly string[] {
  return tell(findingsIn({ identities: { ...identities }, bindings: { b: bindingFor(namespace, 'web', identity) } }))
}

test.each([
  [TEMPLATE, PREVIEWS],
  ['preview/{kubernetes.namespace}/{kubernetes.service_account}', PREVIEWS],
  ['preview/web/{kubernetes.namespace}', PREVIEWS],
  ['preview/web/{kubernetes.namespace}', { 'preview/web/*': {}, 'preview/api': {} }],
  ['preview/{kubernetes.pod_name}', PREVIEWS],
  [TEMPLATE, { ...PREVIEWS, preview: {}, 'preview-2/x': {} }],
])('takes %s with the entries %j', (identity, identities) => {
  expect(errorsOf(identity, identities)).toEqual([])
})

describe('refuses', () => {
  test.each([
    ['preview/{kubernetes.namespace}-{kubernetes.service_account}'],
    ['preview/x-{kubernetes.namespace}'],
    ['preview/{kubernetes.namespace}x'],
    ['preview/{}'],
    ['preview/{kubernetes.namespace'],
    ['preview/{{kubernetes.namespace}}'],
    ['preview/*'],
    ['preview//{kubernetes.namespace}'],
    ['/{kubernetes.namespace}'],
    [`preview/{${'n'.repeat(201)}}`],
    [`${'preview/'.repeat(32)}{kubernetes.namespace}`],
  ])('%s, which takes no whole segments', (identity) => {
    expect(errorsOf(identity)).toEqual([`error ${AT} shape`])
  })

  test('an attribute that the platform has not', () => {
    expect(errorsOf('preview/{kubernetes.cluster}')).toEqual([`error ${AT} attribute_unknown`])
    expect(errorsOf('preview/{constructor}')).toEqual([`error ${AT} attribute_unknown`])
  })

  test.each([
    ['no entry', {}],
    ['an entry of that very name only', { preview: {} }],
    ['an entry for names below another', { 'previews/*': {} }],
    ['an entry for names deeper than some', { 'preview/web/*': {} }],
  ])('%s over the template', (_what, identities) => {
    expect(errorsOf(TEMPLATE, identities)).toEqual([`error ${AT} identity_unknown`])
  })

  test('a template that begins with what it takes', () => {
    expect(errorsOf('{kubernetes.namespace}/web')).toEqual([`error ${AT} identity_unknown`])
  })

  test('a name below an entry for all of them, where a template could make it', () => {
    const identities = { ...PREVIEWS, 'preview/web': {}, 'preview/a/b': {} }

    expect(errorsOf(TEMPLATE, identities)).toEqual([
      'error /identities/preview~1web identity_nested',
      'error /identities/preview~1a~1b identity_nested',
    ])
  })

  test('an entry for all names within another', () => {
    expect(errorsOf(TEMPLATE, { ...PREVIEWS, 'preview/web/*': {} })).toEqual([
      'error /identities/preview~1web~1* identity_nested',
    ])
  })

  test('a plain name that only an entry for all has below it', () => {
    expect(errorsOf('preview/web')).toEqual([`error ${AT} identity_unknown`])
  })

  test('a value that is never a segment, or a prefix of none', () => {
    const aws = (role: unknown) => ({
      trusted_issuers: { aws: { provider: 'aws', regions: ['eu-west-1'], accounts: { '123456789012': {} } } },
      identities: PREVIEWS,
      bindings: {
        b: {
          trusted_issuer: 'aws',
          match: { 'aws.account_id': '123456789012', 'aws.role_name': role },
          identity: 'preview/{aws.role_name}',
        },
      },
    })

    expect(tell(findingsIn(aws(['web', 'Web'])))).toEqual([`error ${AT} template_impossible`])
    expect(tell(findingsIn(aws('Web-*')))).toEqual([`error ${AT} template_impossible`])
    expect(tell(findingsIn(aws('web-*')))).toEqual([])
    expect(tell(findingsIn(aws(`${'w'.repeat(62)}-*`)))).toEqual([`error ${AT} template_impossible`])
    expect(findingsIn(aws(['web', 'Web']))[0]?.message).toContain('"Web"')
  })

  test('what the caller may say, and warns of what not every proof has', () => {
    const aws = (identity: string) => ({
      trusted_issuers: { aws: { provider: 'aws', regions: ['eu-west-1'], accounts: { '123456789012': {} } } },
      identities: PREVIEWS,
      bindings: {
        b: { trusted_issuer: 'aws', match: { 'aws.account_id': '123456789012', 'aws.role_name': 'web' }, identity },
      },
    })

    expect(tell(findingsIn(aws('preview/{aws.session_name}')))).toEqual([`error ${AT} template_chosen`])
    expect(tell(findingsIn(aws('preview/{aws.principal_tags/team}')))).toEqual([`error ${AT} template_chosen`])
    expect(tell(findingsIn(aws('preview/{aws.org_id}')))).toEqual([`warning ${AT} attribute_cautioned`])
  })
})

describe('of names in identities, refuses', () => {
  test.each([['*'], ['preview*'], ['preview-*'], ['preview/*/web'], ['preview/**'], [TEMPLATE], ['/*'], ['Preview/*']])(
    '%s',
    (name) => {
      expect(tell(findingsIn({ identities: { [name]: {} }, bindings: {} }))).toEqual([
        `error /identities/${name.replaceAll('/', '~1')} name_malformed`,
      ])
    },
  )
})

describe('in the overlap proof', () => {
  const crossing = (one: string, two: string) =>
    tell(
      findingsIn({
        identities: PREVIEWS,
        bindings: { one: bindingFor(['a', 'b'], 'web', one), two: bindingFor(['b', 'c'], 'web', two) },
      }),
    )

  test('two templates are one identity where they read the same', () => {
    expect(crossing(TEMPLATE, TEMPLATE)).toEqual([])
  })

  test.each([
    [TEMPLATE, 'preview/{kubernetes.service_account}'],
    [TEMPLATE, 'preview/{kubernetes.namespace}/{kubernetes.namespace}'],
    ['preview/x/{kubernetes.namespace}', 'preview/y/{kubernetes.namespace}'],
  ])('%s and %s are two', (one, two) => {
    expect(crossing(one, two)).toEqual(['error /bindings/two bindings_overlap'])
  })

  test('bindings in shadow and suspended ones overlap and are equal as all others', () => {
    const one = bindingFor(['a', 'b'], 'web', 'x')
    const two = bindingFor(['b', 'c'], 'web', 'y')
    const identities = { x: {}, y: {} }
    const told = (bindings: object) => tell(findingsIn({ identities, bindings: { ...bindings } }))

    for (const more of [{ mode: 'shadow' }, { suspended: true }]) {
      expect(told({ one, two: { ...two, ...more } })).toEqual(['error /bindings/two bindings_overlap'])
      expect(told({ one: { ...one, ...more }, two: { ...one, identity: 'y' } })).toEqual([
        'error /bindings/two bindings_equal',
      ])
    }
  })
})

test('neither suspension nor shadow is anything but what it says', () => {
  const binding = bindingFor('a', 'web', 'x')
  const told = (parts: object) => tell(findingsIn({ identities: { x: {} }, bindings: {}, ...parts }))

  for (const suspended of [1, 'true', null]) {
    expect(told({ bindings: { b: { ...binding, suspended } } })).toEqual(['error /bindings/b/suspended shape'])
    expect(told({ identities: { x: { suspended } } })).toEqual(['error /identities/x/suspended shape'])
  }
  for (const mode of ['live', '', true, null]) {
    expect(told({ bindings: { b: { ...binding, mode } } })).toEqual(['error /bindings/b/mode shape'])
  }
})
