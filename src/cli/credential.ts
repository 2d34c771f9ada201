/** `chancery credential CONSUMER`: hands a token over in the words of the program that asks for it. */

import { processEnvironment } from '../client/environment.ts'
import type { TokenSourceSettings } from '../client/settings.ts'
import type { HelperAnswer, ObtainToken, Outcome } from './credential/answer.ts'
import { answerDocker, IDENTITY_TOKEN_USER } from './credential/docker.ts'
import { answerGit, GIT_USERNAME, type GitAuthorization, parseGitRequest } from './credential/git.ts'
import { longAudience } from './credential/google-source.ts'
import { answerGoogle } from './credential/google-subject.ts'
import { answerKubectl, parseExecInfo } from './credential/kubectl.ts'
import { answerTerraform } from './credential/terraform.ts'
import { allowedHosts, type HelperOptions, usernameOf } from './credential-options.ts'
import { EXIT, type Terminal, UsageError } from './exit.ts'
import { obtainProof, obtainToken } from './obtain.ts'
import { readInput } from './read-input.ts'
import { toTokenSourceSettings, type WorkloadOptions } from './workload-options.ts'

export interface KubectlOptions extends WorkloadOptions {
  readonly server?: string
}

export interface GitOptions extends HelperOptions {
  readonly authorization: GitAuthorization
}

export interface GcpOptions extends WorkloadOptions {
  readonly proof?: boolean
}

/** Gives a token to a Kubernetes client. */
export async function runKubectl(options: KubectlOptions, terminal: Terminal): Promise<number> {
  const info = parseExecInfo(processEnvironment().KUBERNETES_EXEC_INFO)
  return print(await answerKubectl(info, options.server, obtainer(options)), terminal)
}

/** Gives a token to Git. Does nothing for an operation other than `get`, as Git asks of helpers that keep nothing. */
export async function runGit(operation: string, options: GitOptions, terminal: Terminal): Promise<number> {
  if (operation !== 'get') return EXIT.done
  const request = parseGitRequest(await readInput())
  const helper = {
    hosts: allowedHosts(options),
    authorization: options.authorization,
    username: usernameOf(options, GIT_USERNAME),
    obtain: obtainer(options),
  }
  return print(await answerGit(request, helper), terminal)
}

/** Gives a token to Docker. */
export async function runDocker(operation: string, options: HelperOptions, terminal: Terminal): Promise<number> {
  const helper = {
    hosts: allowedHosts(options),
    username: usernameOf(options, IDENTITY_TOKEN_USER),
    obtain: obtainer(options),
  }
  return print(await answerDocker(operation, helper, readInput), terminal)
}

/** Gives a token to Terraform. */
export async function runTerraform(
  operation: string,
  host: string | undefined,
  options: HelperOptions,
  terminal: Terminal,
): Promise<number> {
  return print(
    await answerTerraform(operation, host, { hosts: allowedHosts(options), obtain: obtainer(options) }),
    terminal,
  )
}

/** Gives a token to one of Google's libraries, to exchange with Google; with `--proof` the proof, to exchange with the broker. */
export async function runGcp({ proof = false, ...options }: GcpOptions, terminal: Terminal): Promise<number> {
  const settings = toTokenSourceSettings(options)
  const { broker, audience } = settings
  if (audience === undefined) throw new UsageError('gcp: for which audience? Name it with --audience')
  const helper = {
    audiences: proof ? [longAudience(broker, audience)] : poolProviderNames(audience),
    obtain: () => (proof ? proofText(settings) : tokenText(settings)),
    mayKeep: !proof,
  }
  return print(await answerGoogle(processEnvironment(), helper), terminal)
}

/** Google's name of a pool provider has no `https:`; the audience that its tools propose for tokens has. */
function poolProviderNames(audience: string): readonly string[] {
  return audience.startsWith('https://iam.googleapis.com/') ? [audience.slice('https:'.length), audience] : [audience]
}

async function proofText(settings: TokenSourceSettings): Promise<Outcome<string>> {
  const outcome = await obtainProof(settings)
  return 'failure' in outcome ? outcome : { got: outcome.got.subjectToken }
}

async function tokenText(settings: TokenSourceSettings): Promise<Outcome<string>> {
  const outcome = await obtainToken(settings, undefined)
  return 'failure' in outcome ? outcome : { got: outcome.got.accessToken }
}

function obtainer(options: WorkloadOptions): ObtainToken {
  return (audience) => obtainToken(toTokenSourceSettings(options), audience)
}

/** Says a helper's answer, and gives its exit code. */
export function print({ ending, out, err }: HelperAnswer, terminal: Terminal): number {
  if (out !== undefined) terminal.out(out)
  if (err !== undefined) terminal.err(err)
  return EXIT[ending]
}
