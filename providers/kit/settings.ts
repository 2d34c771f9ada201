/** Readers for the settings that several providers have. */

import { z } from 'zod'
import { SettingsError, type SettingsProblem } from '../contract/errors.ts'

/** `host` or `host:port` as it stands in a URL: lower case, an IPv6 address in brackets and in its shortest form. */
const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?)(:[1-9]\d{0,4})?$/

function isHost(text: string): boolean {
  if (!HOST.test(text) || !URL.canParse(`https://${text}`)) return false
  const { host } = new URL(`https://${text}`)
  return host === text || `${host}:443` === text
}

/** A file below the secrets directory: no absolute path, no empty, `.` or `..` segment. */
const FILE_NAME = /^(?!.*(^|\/)\.{1,2}(\/|$))[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/

/** Hosts on a private network that a trusted issuer may be reached at. */
export const privateHostsSchema = z
  .array(z.string().refine(isHost, 'name a host as "host" or "host:port", in lower case'))
  .min(1, 'name a host, or leave the member out')
  .max(16)
  .describe('Hosts of this issuer that may have private addresses.')

/** The name of a file in the operator's secrets directory. */
export const fileNameSchema = z
  .string()
  .max(255)
  .regex(FILE_NAME, 'name a file below --secrets-dir: a relative path without ".."')
  .describe('A file below --secrets-dir.')

/** Gives settings in a schema's shape, or throws {@link SettingsError} with the path of everything that is not. */
export function parseShape<Schema extends z.ZodType>(schema: Schema, settings: unknown): z.output<Schema> {
  const result = schema.safeParse(settings)
  if (result.success) return result.data
  throw new SettingsError(
    result.error.issues.map((issue) => ({
      path: issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key)),
      code: 'shape',
      message: issue.message,
    })),
  )
}

/** Throws {@link SettingsError} where there is any problem. */
export function refuseProblems(problems: readonly SettingsProblem[]): void {
  if (problems.length > 0) throw new SettingsError(problems)
}
