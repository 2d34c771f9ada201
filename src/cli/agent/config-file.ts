/** Reads an agent's configuration file: JSON, or YAML where its name does not end with `.json`. */

import { SettingsError } from '../../../providers/contract/errors.ts'
import { JsonError, parseStrictJson } from '../../../providers/contract/strict-json.ts'
import { readSmallFile } from '../../client/small-file.ts'
import { type AgentConfig, readAgentConfig } from './config.ts'

/** Deepest nesting of a configuration. */
const MAX_DEPTH = 16

/** Gives the configuration. Throws {@link SettingsError}, with the file and every problem's place in it. */
export async function readConfigFile(path: string): Promise<AgentConfig> {
  const text = await readText(path)
  const value = path.endsWith('.json') ? parseJson(path, text) : await parseYaml(path, text)
  try {
    return readAgentConfig(value)
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    throw new SettingsError(error.problems.map((each) => ({ ...each, message: `${path}: ${each.message}` })))
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readSmallFile(path)
  } catch (error) {
    throw unreadable(path, error instanceof Error ? error.message : 'unknown')
  }
}

function parseJson(path: string, text: string): unknown {
  try {
    return parseStrictJson(text, MAX_DEPTH)
  } catch (error) {
    if (error instanceof JsonError) throw unreadable(path, error.message)
    throw error
  }
}

/** A member that is there twice is an error, and so is an alias: a token's configuration needs none, and a few can mean millions. */
async function parseYaml(path: string, text: string): Promise<unknown> {
  const { parseDocument } = await import('./yaml-parser.ts')
  const document = parseDocument(text, { prettyErrors: true, uniqueKeys: true })
  const [error] = document.errors
  if (error !== undefined) throw unreadable(path, error.message.split('\n', 1)[0] ?? 'it is not YAML')
  try {
    return document.toJS({ maxAliasCount: 0 })
  } catch {
    throw unreadable(path, 'it has an alias; write the value where it belongs')
  }
}

function unreadable(path: string, why: string): SettingsError {
  return new SettingsError([{ path: ['--config'], code: 'file_unreadable', message: `${path} cannot be used: ${why}` }])
}
