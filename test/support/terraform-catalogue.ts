/** What the Terraform modules know of the broker, made from the code that the broker uses: nobody types it a second time. */

import { writeFileSync } from 'node:fs'
import { PARTITIONS, regionsOf } from '../../providers/aws/endpoints.ts'
import { issuersOf } from '../../providers/azure/issuers.ts'
import {
  FOREIGN_NAMES,
  FOREIGN_PREFIXES,
  FOREIGN_SUFFIXES,
  REGIONAL_STS,
} from '../../providers/contract/foreign-audiences.ts'
import type { VerifierProvider } from '../../providers/contract/provider.ts'
import { GOOGLE_ISSUER } from '../../providers/gcp/verifier.ts'
import { ALGORITHM_OF_CURVE, PRIVATE_MEMBERS } from '../../providers/kit/verification-key.ts'
import { verifiers } from '../../providers/verifiers.ts'
import {
  DEFAULT_TOKEN_LIFETIME_SECONDS,
  MAX_CLAIMS_BYTES,
  MAX_TOKEN_LIFETIME_SECONDS,
} from '../../src/federation/document.ts'
import { PREFIX } from '../../src/federation/match.ts'
import { MAX_CELLS, MAX_IN_CELL, MAX_SHAPES, MAX_VALUE_LENGTH } from '../../src/federation/read-bindings.ts'
import { SEGMENT } from '../../src/federation/template.ts'
import { RESERVED_CLAIMS, SHORT_LIFETIME_SECONDS } from '../../src/federation/validate.ts'
import { patternsOf, readPlaces } from './document-places.ts'

/** Where the modules read it. */
export const CATALOGUE_FILE = new URL('../../infra/modules/federation/catalogue.json', import.meta.url)

const FAMILY = '<key>'

/** Gives the text of the file, one line for each thing that is named. */
export function renderCatalogue(): string {
  const { places, rules } = readPlaces()
  const sections = {
    places: Object.fromEntries(places),
    rules: Object.fromEntries(rules),
    providers: Object.fromEntries(verifiers.map((provider) => [provider.name, describeProvider(provider)])),
    aws_regions: Object.fromEntries(PARTITIONS.map((partition) => [partition, regionsOf(partition)])),
    azure_issuers: Object.fromEntries(
      (['public', 'usgov', 'china'] as const).map((cloud) => [
        cloud,
        issuersOf(cloud, 'TENANT').map(({ issuer }) => issuer),
      ]),
    ),
    google_issuers: { all: [GOOGLE_ISSUER] },
    foreign_audiences: {
      names: [...FOREIGN_NAMES].sort(),
      suffixes: FOREIGN_SUFFIXES,
      prefixes: FOREIGN_PREFIXES,
      pattern: REGIONAL_STS.source,
    },
    key_algorithms: Object.fromEntries(ALGORITHM_OF_CURVE),
    private_key_members: PRIVATE_MEMBERS,
    segment: patternsOf(SEGMENT.source),
    prefix: patternsOf(PREFIX.source),
    reserved_claims: [...RESERVED_CLAIMS].sort(),
    limits: {
      claims_bytes: MAX_CLAIMS_BYTES,
      combinations: MAX_CELLS,
      default_lifetime_seconds: DEFAULT_TOKEN_LIFETIME_SECONDS,
      in_one_cell: MAX_IN_CELL,
      lifetime_seconds: MAX_TOKEN_LIFETIME_SECONDS,
      short_lifetime_seconds: SHORT_LIFETIME_SECONDS,
      shapes: MAX_SHAPES,
      value_length: MAX_VALUE_LENGTH,
    },
  }
  const texts = Object.entries(sections).map(([name, section]) => {
    const lines = Object.entries(section).map(([key, value]) => `    ${JSON.stringify(key)}: ${JSON.stringify(value)}`)
    return Array.isArray(section)
      ? `  ${JSON.stringify(name)}: ${JSON.stringify(section)}`
      : `  ${JSON.stringify(name)}: {\n${lines.join(',\n')}\n  }`
  })
  return `{\n${texts.join(',\n')}\n}\n`
}

function describeProvider(provider: VerifierProvider<unknown>): object {
  const entries = [...provider.attributes].map(([name, attribute]) => {
    const facts = {
      grade: attribute.grade,
      prefix: attribute.prefix,
      may_decide: attribute.mayDecide === true,
      caution: attribute.caution ?? '',
      ...patternsOf(attribute.form?.source),
      lower: attribute.canonical?.('A') === 'a',
    }
    return [name, facts] as const
  })
  const families = entries.filter(([name]) => name.endsWith(FAMILY))
  return {
    attributes: Object.fromEntries(entries.filter(([name]) => !name.endsWith(FAMILY))),
    families: Object.fromEntries(families.map(([name, facts]) => [name.slice(0, -FAMILY.length), facts])),
    names: entries.map(([name]) => name),
    pins: provider.pins,
  }
}

if (import.meta.main) writeFileSync(CATALOGUE_FILE, renderCatalogue())
