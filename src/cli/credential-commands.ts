/** The words of `chancery credential`. */

import { type Command, Option } from 'commander'
import type { GcpOptions, GitOptions, KubectlOptions } from './credential.ts'
import type { AwsOptions } from './credential-aws.ts'
import { addHelperOptions, type HelperOptions } from './credential-options.ts'
import { type Terminal, UsageError } from './exit.ts'
import { addWorkloadOptions } from './workload-options.ts'

/** At the end of each consumer's own help. */
const CREDENTIAL_HELP = `
The reason why there is no token is told where the program shows it, with a code in brackets.

Exit codes: 0 done; 1 the broker refused, or the program's own service did; 2 wrong usage, or no way to prove who this is;
3 try again later.`

const AWS_HELP = `
The session comes of AWS's STS, for the token of an audience that IAM knows: sts.amazonaws.com by default.

Example, in ~/.aws/config:
  [profile reader]
  credential_process = chancery credential aws --broker https://broker.corp.example --role-arn arn:aws:iam::123456789012:role/reader`

const KUBECTL_HELP = `
Example, as a user of a kubeconfig:
  exec:
    apiVersion: client.authentication.k8s.io/v1
    command: chancery
    args: [credential, kubectl, --broker=https://broker.corp.example, --audience=prod]
    interactiveMode: Never`

const GIT_HELP = `
Example:
  git config --global credential.helper '!chancery credential git --broker https://broker.corp.example --host git.corp.example=git'`

const DOCKER_HELP = `
Docker starts it as docker-credential-chancery, where ~/.docker/config.json has
{ "credHelpers": { "registry.corp.example": "chancery" } }. Its settings are then the variables.

Examples:
  ln -s "$(command -v chancery)" /usr/local/bin/docker-credential-chancery
  echo registry.corp.example | chancery credential docker get --host registry.corp.example=registry`

const GCP_HELP = `
Google's libraries start it, and read from standard output why there is no token: the exit code is then 0, too.

Example, in the credential_source of an external_account file:
  "executable": { "command": "chancery credential gcp --broker=https://broker.corp.example --audience=https://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/chancery" }`

const TERRAFORM_HELP = `
Terraform starts it as terraform-credentials-chancery.

Example, in ~/.terraformrc:
  credentials_helper "chancery" {
    args = ["--broker=https://broker.corp.example", "--host=registry.corp.example=registry"]
  }

Examples:
  mkdir -p ~/.terraform.d/plugins
  ln -s "$(command -v chancery)" ~/.terraform.d/plugins/terraform-credentials-chancery
  chancery credential terraform get registry.corp.example --host registry.corp.example=registry`

type AddConsumer = (credential: Command, terminal: Terminal, result: { code: number }) => void

/** Adds `credential` with a subcommand for each consumer. */
export function addCredential(program: Command, terminal: Terminal, result: { code: number }): void {
  const credential = program
    .command('credential')
    .description('give a token to a program, in the words by which it asks for credentials')
    .addHelpText('afterAll', CREDENTIAL_HELP)
  const consumers: readonly AddConsumer[] = [addAws, addKubectl, addGit, addDocker, addGcp, addTerraform]
  for (const add of consumers) add(credential, terminal, result)
}

function addAws(credential: Command, terminal: Terminal, result: { code: number }): void {
  addWorkloadOptions(credential.command('aws').description('be a credential_process of the AWS SDKs and CLI'))
    .requiredOption('--role-arn <ARN>', 'the role that trusts this identity')
    .addOption(
      new Option(
        '--session-name <NAME>',
        'what CloudTrail calls the session; by default the identity’s name',
      ).argParser(parseSessionName),
    )
    .option('--region <REGION>', 'whose STS is asked; by default that of the environment or the profile')
    .addOption(
      new Option('--duration-seconds <SECONDS>', 'how long a session lasts; by default an hour').argParser(
        parseDuration,
      ),
    )
    .option('--no-cache', 'keep no session in the user’s cache directory')
    .addHelpText('after', AWS_HELP)
    .action(async (options: AwsOptions) => {
      const { runAws } = await import('./credential-aws.ts')
      result.code = await runAws(options, terminal)
    })
}

function addKubectl(credential: Command, terminal: Terminal, result: { code: number }): void {
  addWorkloadOptions(credential.command('kubectl').description('be an exec plugin of a kubeconfig'))
    .option('--server <URL>', 'give the token to this API server alone; needs provideClusterInfo')
    .addHelpText('after', KUBECTL_HELP)
    .action(async (options: KubectlOptions) => {
      const { runKubectl } = await import('./credential.ts')
      result.code = await runKubectl(options, terminal)
    })
}

function addGit(credential: Command, terminal: Terminal, result: { code: number }): void {
  addHelperOptions(credential.command('git').description('be a credential helper of Git, for hosts over https'))
    .option('--username <NAME>', 'the user name beside the token, where Git knows none [CHANCERY_CREDENTIAL_USERNAME]')
    .addOption(
      new Option('--authorization <SCHEME>', 'send the token as a password, or as Bearer, which Git 2.46 can')
        .choices(['basic', 'bearer'])
        .default('basic'),
    )
    .argument('<OPERATION>', 'get; anything else does nothing')
    .addHelpText('after', GIT_HELP)
    .action(async (operation: string, options: GitOptions) => {
      const { runGit } = await import('./credential.ts')
      result.code = await runGit(operation, options, terminal)
    })
}

function addDocker(credential: Command, terminal: Terminal, result: { code: number }): void {
  addHelperOptions(credential.command('docker').description('be a credential helper of Docker'))
    .option('--username <NAME>', 'the user name beside the token; by default <token> [CHANCERY_CREDENTIAL_USERNAME]')
    .argument('<OPERATION>', 'get or list; store and erase are refused')
    .addHelpText('after', DOCKER_HELP)
    .action(async (operation: string, options: HelperOptions) => {
      const { runDocker } = await import('./credential.ts')
      result.code = await runDocker(operation, options, terminal)
    })
}

function addGcp(credential: Command, terminal: Terminal, result: { code: number }): void {
  addWorkloadOptions(credential.command('gcp').description('be the executable of a Google external_account file'))
    .option('--proof', 'give the proof, for a file that exchanges it with the broker: see google-config')
    .addHelpText('after', GCP_HELP)
    .action(async (options: GcpOptions) => {
      const { runGcp } = await import('./credential.ts')
      result.code = await runGcp(options, terminal)
    })
}

function addTerraform(credential: Command, terminal: Terminal, result: { code: number }): void {
  addHelperOptions(credential.command('terraform').description('be a credentials helper of Terraform'))
    .argument('<OPERATION>', 'get; store and forget are refused')
    .argument('[HOST]', 'who wants a token')
    .addHelpText('after', TERRAFORM_HELP)
    .action(async (operation: string, host: string | undefined, options: HelperOptions) => {
      const { runTerraform } = await import('./credential.ts')
      result.code = await runTerraform(operation, host, options, terminal)
    })
}

function parseSessionName(text: string): string {
  if (!/^[\w+=,.@-]{2,64}$/.test(text)) {
    throw new UsageError('--session-name: AWS takes 2 to 64 letters, digits and any of _+=,.@-')
  }
  return text
}

function parseDuration(text: string): number {
  const seconds = Number(text)
  if (!/^\d+$/.test(text) || seconds < 900 || seconds > 43_200) {
    throw new UsageError('--duration-seconds: AWS takes 900 to 43200')
  }
  return seconds
}
