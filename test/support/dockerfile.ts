/** Builds what a Dockerfile says without a container engine: its stages are directories, its steps are run in them by a shell. */

import { spawnSync } from 'node:child_process'
import { cpSync, lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'

/** What came out: a directory that stands for the image's root, and how the image is started. */
export interface BuiltImage {
  readonly root: string
  readonly user: string
  readonly entrypoint: readonly string[]
  readonly command: readonly string[]
  /** The images that its stages begin with. */
  readonly bases: readonly string[]
}

interface Step {
  readonly instruction: string
  readonly text: string
}

interface Stage {
  readonly root: string
  readonly args: Map<string, string>
  workdir: string
}

/** Reads steps: comments are left out, lines that go on are joined. */
export function readDockerfile(text: string): readonly Step[] {
  const joined = text.replace(/^\s*#.*\n/gm, '').replace(/\\\n/g, ' ')
  return joined
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, instruction = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line.trim()) ?? []
      return { instruction, text: rest }
    })
}

/** Makes the test of a .dockerignore: whether a path is sent to the builder. The last line that fits a path, or what it lies in, decides. */
export function readDockerignore(text: string): (path: string) => boolean {
  const rules = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  const fits = (pattern: string, path: string): boolean =>
    pattern === '*' || path === pattern || path.startsWith(`${pattern}/`)
  return (path) => {
    const rule = rules.findLast((each) => fits(each.replace(/^!/, ''), path))
    return rule === undefined || rule.startsWith('!')
  }
}

/** Copies what the builder is sent: every file that .dockerignore leaves in. */
export function copyContext(repository: string, target: string): void {
  const isSent = readDockerignore(readFileSync(join(repository, '.dockerignore'), 'utf8'))
  for (const name of readdirSync(repository)) copySent(name, { repository, target, isSent })
}

/** A directory is looked into where something in it may be sent, which its own rule alone does not tell. */
function copySent(
  path: string,
  context: { repository: string; target: string; isSent: (path: string) => boolean },
): void {
  const { repository, target, isSent } = context
  if (NEVER_SENT.has(basename(path))) return
  if (!lstatSync(join(repository, path)).isDirectory()) {
    if (isSent(path)) cpSync(join(repository, path), join(target, path))
    return
  }
  for (const name of readdirSync(join(repository, path))) copySent(`${path}/${name}`, context)
}

/** What is large and not looked into; .dockerignore leaves neither in. */
const NEVER_SENT: ReadonlySet<string> = new Set(['.git', 'node_modules'])

/** Builds all stages in order. Throws what a step wrote where it fails, and where an instruction is not known here. */
export function buildImage(context: string, directory: string, env: Readonly<Record<string, string>> = {}): BuiltImage {
  const steps = readDockerfile(readFileSync(join(context, 'Dockerfile'), 'utf8'))
  const global = new Map<string, string>()
  const stages = new Map<string, Stage>()
  const image = { user: '', entrypoint: [] as string[], command: [] as string[], bases: [] as string[] }
  let stage: Stage | undefined
  for (const { instruction, text } of steps) {
    const name = (): string => /\bAS (\S+)/.exec(text)?.[1] ?? `stage-${stages.size}`
    if (instruction === 'FROM') {
      stage = { root: join(directory, name()), args: new Map(), workdir: '/' }
      mkdirSync(stage.root, { recursive: true })
      image.bases.push(fill(text.split(' ')[0] ?? '', global))
      stages.set(basename(stage.root), stage)
    } else if (instruction === 'ARG') {
      const [key = '', value = ''] = text.split('=')
      ;(stage?.args ?? global).set(key, value)
    } else if (instruction === 'USER') image.user = text
    else if (instruction === 'ENTRYPOINT') image.entrypoint = JSON.parse(text) as string[]
    else if (instruction === 'CMD') image.command = JSON.parse(text) as string[]
    else if (stage !== undefined) runStep({ instruction, text }, stage, { context, stages, env })
  }
  return { root: stage?.root ?? '', ...image }
}

interface Surroundings {
  readonly context: string
  readonly stages: ReadonlyMap<string, Stage>
  readonly env: Readonly<Record<string, string>>
}

function runStep({ instruction, text }: Step, stage: Stage, { context, stages, env }: Surroundings): void {
  const inside = (path: string): string => join(stage.root, path.startsWith('/') ? path : join(stage.workdir, path))
  if (instruction === 'EXPOSE') return
  if (instruction === 'WORKDIR') {
    stage.workdir = text
    mkdirSync(inside(text), { recursive: true })
  } else if (instruction === 'COPY') {
    const words = text.split(/\s+/)
    const from = words.find((word) => word.startsWith('--from='))?.slice('--from='.length)
    const paths = words.filter((word) => !word.startsWith('--'))
    const source = from === undefined ? context : stages.get(from)?.root
    if (source === undefined) throw new Error(`COPY: there is no stage ${from}`)
    const target = paths.pop() ?? ''
    for (const path of paths) copyInto(join(source, path), inside(target), target.endsWith('/'))
  } else if (instruction === 'RUN') {
    const { status, stdout, stderr } = spawnSync('sh', ['-ec', text], {
      cwd: inside(''),
      env: { ...process.env, ...Object.fromEntries(stage.args), ...env },
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(`RUN ${text}\n${stdout}${stderr}`)
  } else throw new Error(`${instruction} is not known here`)
}

/** As COPY does it: of a directory what is in it, a file under its own name where the target ends with a slash. */
function copyInto(source: string, target: string, isDirectory: boolean): void {
  const options = { recursive: true, preserveTimestamps: true, verbatimSymlinks: true }
  if (lstatSync(source).isDirectory()) {
    mkdirSync(target, { recursive: true })
    for (const name of readdirSync(source)) cpSync(join(source, name), join(target, name), options)
    return
  }
  const file = normalize(isDirectory ? join(target, basename(source)) : target)
  mkdirSync(dirname(file), { recursive: true })
  cpSync(source, file, options)
}

function fill(text: string, args: ReadonlyMap<string, string>): string {
  return text.replace(/\$\{(\w+)\}/g, (_, name: string) => args.get(name) ?? '')
}
