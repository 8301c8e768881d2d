/** Exit codes. Each result has its own (failures/exit-of-failure.ts); the gravest is the exit code of the run. */
export const exitCodes = {
  sound: 0,
  failed: 1,
  damaged: 2,
  inconclusive: 3,
  maybePaused: 4,
  differ: 5,
  usage: 64,
  bug: 70,
  busy: 75,
  configuration: 78,
  hangup: 129,
  interrupted: 130,
  quit: 131,
  terminated: 143,
} as const
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** Gravest first: a paused tenant outweighs everything. */
const gravity: readonly ExitCode[] = [4, 70, 2, 1, 3, 75, 5, 0]

/** The gravest of several; 0 for none. */
export function gravest(codes: Iterable<ExitCode>): ExitCode {
  const seen = new Set(codes)
  return gravity.find((code) => seen.has(code)) ?? exitCodes.sound
}
