/** The week of a run: part of the key of its results, so it must be the same in each delivery. */

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const timeLetters = 10
const dayMs = 24 * 3_600_000

/** The Monday (UTC) of the week in which a run began, as `2026-11-23`. Its id has the time. */
export function weekOf(run: string): string {
  let beganAt = 0
  for (let at = 0; at < timeLetters; at++) beganAt = beganAt * alphabet.length + alphabet.indexOf(run.charAt(at))
  const date = new Date(beganAt)
  const sinceMonday = (date.getUTCDay() + 6) % 7
  return new Date(beganAt - sinceMonday * dayMs).toISOString().slice(0, 10)
}
