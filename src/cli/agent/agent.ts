/** An agent at work: its tokens, its files and its door. */

import { setTimeout } from 'node:timers/promises'
import { createTokenSource, type TokenSource } from '../../client/client.ts'
import { readTarget, type TokenSourceSettings } from '../../client/settings.ts'
import type { KeeperWorld } from '../delivery/keep-fresh.ts'
import type { AgentLog } from './agent-log.ts'
import { type AgentService, createAgentListener } from './agent-requests.ts'
import type { OutputConfig } from './config.ts'
import { groupOutputs, type KeptOutputs, keepOutputs } from './kept-outputs.ts'
import { type Door, openDoor } from './listen.ts'
import { type ListenPlace, tellPlace } from './listen-place.ts'

/** All that an agent is to do. */
export interface AgentPlan {
  readonly settings: TokenSourceSettings
  readonly outputs: readonly OutputConfig[]
  readonly listen: ListenPlace | undefined
}

export interface Agent {
  /**
   * Does from now on what another plan says. What both say goes on undisturbed: tokens are not asked for again, and the door stays
   * open. Rejects where the new plan cannot be followed; then the old one is.
   */
  follow(plan: AgentPlan): Promise<void>
  /** Ends all of it. The files stay. */
  stop(): Promise<void>
}

/** How long an agent that ends waits for what is under way, in milliseconds. */
const STOP_MS = 2_000

/** What is at work for one plan. */
interface Work {
  readonly plan: AgentPlan
  readonly source: TokenSource
  readonly door: Door | undefined
  readonly kept: readonly KeptOutputs[]
}

/** Starts an agent. Rejects with nothing left open where the plan cannot be followed. */
export async function startAgent(plan: AgentPlan, log: AgentLog, world: KeeperWorld): Promise<Agent> {
  let work: Work
  const service: AgentService = {
    check: (wish) => void readTarget(work.plan.settings, wish),
    token: (wish, signal) => work.source.token({ ...wish, signal }),
    health: () => tellHealth(work.kept),
    now: () => Math.floor(world.now() / 1_000),
  }
  const listener = createAgentListener(service)
  const open = async ({ listen }: AgentPlan): Promise<Door | undefined> => {
    if (listen === undefined) return undefined
    const door = await openDoor(listen, listener)
    log.info('listening', { at: tellPlace(door.place) })
    return door
  }
  const keep = ({ outputs }: AgentPlan, source: TokenSource): readonly KeptOutputs[] =>
    groupOutputs(outputs).map((group) => keepOutputs(group, source, log, world))

  const source = createTokenSource(plan.settings)
  work = { plan, source, door: undefined, kept: [] }
  work = { ...work, door: await open(plan), kept: keep(plan, source) }
  return {
    async follow(next) {
      const before = work
      const isSameSource = isSame(before.plan.settings, next.settings)
      const isSameDoor = isSame(before.plan.listen, next.listen)
      const nextSource = isSameSource ? before.source : createTokenSource(next.settings)
      const door = isSameDoor ? before.door : await open(next)
      await Promise.all(before.kept.map((each) => each.stop()))
      work = { plan: next, source: nextSource, door, kept: keep(next, nextSource) }
      if (!isSameDoor) await before.door?.close()
      if (!isSameSource) before.source.close()
    },
    async stop() {
      const ends = Promise.all([work.door?.close(), ...work.kept.map((each) => each.stop())])
      await Promise.race([ends, setTimeout(STOP_MS, undefined, { ref: false })])
      work.source.close()
    },
  }
}

/** An agent is well while every token that it keeps is good; a stale one is worth a look, and works. */
function tellHealth(kept: readonly KeptOutputs[]): { isWell: boolean; body: object } {
  const tokens = kept.map(({ health }) => health())
  const has = (status: string): boolean => tokens.some((token) => token.status === status)
  const status = has('missing') ? 'failing' : has('stale') ? 'stale' : 'ok'
  return { isWell: status !== 'failing', body: { status, tokens } }
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
