/** What a workload is told when it gets no token, and what it can do about it. */

/** Who can help: whoever decides what this workload may have, whoever set it up, or time. */
export type TokenSourceErrorKind = 'refused' | 'setup' | 'later'

interface TokenSourceErrorEntry {
  readonly kind: TokenSourceErrorKind
  /** What to do, as a sentence. */
  readonly advice: string
}

/** Every way in which no token is got. The list is closed, and published in `README.md`. */
export const TOKEN_SOURCE_ERRORS = {
  proof_refused: {
    kind: 'refused',
    advice: 'ask your platform team, who can see in the broker’s audit trail why',
  },
  target_refused: {
    kind: 'refused',
    advice: 'name an audience that this identity is granted, or have the platform team grant this one',
  },
  scope_refused: {
    kind: 'refused',
    advice: 'ask for less, or for no scope to get all that this identity has there',
  },
  request_refused: {
    kind: 'refused',
    advice: 'compare the versions of client and broker: they do not agree on the request',
  },
  settings_invalid: { kind: 'setup', advice: 'correct the setting' },
  platform_not_found: {
    kind: 'setup',
    advice: 'project a token into the pod, set CHANCERY_PROOF_FILE, or name the platform in proof.provider',
  },
  platform_ambiguous: {
    kind: 'setup',
    advice: 'name the platform to prove by in proof.provider, or in CHANCERY_PROVIDER',
  },
  sdk_missing: { kind: 'setup', advice: 'install the platform’s SDK beside chancery' },
  proof_unavailable: { kind: 'setup', advice: 'see that the platform gives this workload an identity' },
  destination_insecure: {
    kind: 'setup',
    advice: 'ask over https: a token is sent in the clear to this machine alone',
  },
  source_closed: { kind: 'setup', advice: 'create another token source' },
  platform_unavailable: {
    kind: 'later',
    advice: 'try again, and if it stays so, see that the platform gives this workload an identity',
  },
  broker_untrusted: {
    kind: 'setup',
    advice: 'name the authority of the broker’s certificate in NODE_EXTRA_CA_CERTS, or correct the broker’s URL',
  },
  broker_unreachable: { kind: 'later', advice: 'look at the broker’s URL and at the network, and try again' },
  broker_too_slow: { kind: 'later', advice: 'try again, and look at what lies between here and the broker' },
  broker_unavailable: { kind: 'later', advice: 'try again later' },
  broker_failed: { kind: 'later', advice: 'report it to your platform team, with the request id where there is one' },
  broker_answer_invalid: {
    kind: 'later',
    advice: 'see that the broker’s URL leads to a Chancery broker and nothing answers in its place',
  },
} as const satisfies Readonly<Record<string, TokenSourceErrorEntry>>

/** One of {@link TOKEN_SOURCE_ERRORS}. */
export type TokenSourceErrorCode = keyof typeof TOKEN_SOURCE_ERRORS

/** What more is known of it. */
export interface TokenSourceErrorOptions {
  readonly requestId?: string | undefined
  readonly retryAfterSeconds?: number | undefined
  /** In place of the code's own advice. */
  readonly advice?: string | undefined
  readonly cause?: unknown
}

/**
 * Why there is no token. `code` is for programs; message and `advice` say to people what happened and what to do. Holds neither a
 * proof nor a token, and no text of anybody else's that could.
 */
export class TokenSourceError extends Error {
  readonly code: TokenSourceErrorCode
  readonly advice: string
  /** The broker's name for the exchange, which the platform team can look up. */
  declare readonly requestId?: string
  /** When the broker wants to be asked again, where it said so. */
  declare readonly retryAfterSeconds?: number

  constructor(code: TokenSourceErrorCode, what: string, options: TokenSourceErrorOptions = {}) {
    const advice = options.advice ?? TOKEN_SOURCE_ERRORS[code].advice
    const id = options.requestId === undefined ? '' : ` (request id ${options.requestId})`
    super(`${what}${id}: ${advice}`, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'TokenSourceError'
    this.code = code
    this.advice = advice
    if (options.requestId !== undefined) this.requestId = options.requestId
    if (options.retryAfterSeconds !== undefined) this.retryAfterSeconds = options.retryAfterSeconds
  }

  /** Whether another answer needs a decision, another setup, or only time. */
  get kind(): TokenSourceErrorKind {
    return TOKEN_SOURCE_ERRORS[this.code].kind
  }
}
