/** `chancery credential aws`: a `credential_process`. */

import { resolve } from 'node:path'
import { type Environment, processEnvironment, tellChildren } from '../client/environment.ts'
import type { TokenSourceSettings } from '../client/settings.ts'
import { AWS_AUDIENCE, answerAws } from './credential/aws.ts'
import { privateCache } from './credential/private-cache.ts'
import { print } from './credential.ts'
import { type Terminal, UsageError } from './exit.ts'
import { obtainToken } from './obtain.ts'
import { toTokenSourceSettings, type WorkloadOptions } from './workload-options.ts'

export interface AwsOptions extends WorkloadOptions {
  readonly roleArn: string
  readonly sessionName?: string
  readonly region?: string
  readonly durationSeconds?: number
  /** Commander's form of `--no-cache`. */
  readonly cache: boolean
}

/** Prints a session of a role. */
export async function runAws(options: AwsOptions, terminal: Terminal): Promise<number> {
  const environment = processEnvironment()
  refuseToAskOurselves(environment)
  const settings = toTokenSourceSettings(options)
  const { roleArn, sessionName, region, durationSeconds } = options
  const helper = {
    role: { roleArn, sessionName, region, durationSeconds },
    audience: settings.audience ?? AWS_AUDIENCE,
    obtain: (audience: string | undefined) => obtainToken(settings, audience),
    cache: options.cache ? privateCache('aws', keyOf(settings, options, environment), environment) : undefined,
    now: () => Math.floor(Date.now() / 1_000),
  }
  return print(await answerAws(helper), terminal)
}

/**
 * Where the proof is made with credentials of AWS, and AWS finds them through this command, each would start the other without end.
 * The SDK hands our environment on to the process that it starts.
 */
function refuseToAskOurselves({ CHANCERY_CREDENTIAL_ASKED }: Environment): void {
  if (CHANCERY_CREDENTIAL_ASKED === 'aws') {
    throw new UsageError(
      'aws: this workload proves who it is with credentials of AWS, and AWS looks for them in the profile that asks here: ' +
        'give that profile a name, and write credential_process = env -u AWS_PROFILE chancery credential aws …',
    )
  }
  tellChildren('CHANCERY_CREDENTIAL_ASKED', 'aws')
}

/** By these a platform's SDK, or a proof file, is somebody else, or STS another: SDKs read more of them with every version. */
const OF_PLATFORMS = /^((AWS|AZURE|GCE|GOOGLE|IDENTITY|MSI)_.*|CHANCERY_PROOF_FILE|HOME)$/

/** Gives everything that a session depends on: what is kept under one key is given for no other. */
export function keyOf(
  { broker, audience, scope, proof = {} }: TokenSourceSettings,
  { roleArn, sessionName, region, durationSeconds }: Omit<AwsOptions, 'cache'>,
  environment: Environment,
): readonly unknown[] {
  const { file, provider, subjectTokenType, audience: proofAudience, settings } = proof
  return [
    [broker, audience ?? null, scope ?? null],
    [file === undefined ? null : resolve(file), provider ?? null, subjectTokenType ?? null, proofAudience ?? null],
    settings ?? null,
    [roleArn, sessionName ?? null, region ?? null, durationSeconds ?? null],
    Object.entries(environment)
      .filter(([name]) => OF_PLATFORMS.test(name))
      .toSorted(([one], [other]) => (one < other ? -1 : 1)),
  ]
}
