/** The week of a run: part of the key of its results, so it must be the same in each delivery. */

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const timeLetters = 10
const dayMs = 24 * 3_600_000

/** The Monday (UTC) of the week in which a run began, as `2026-11-23`. Its id has the time. */
export function weekOf(run: string): string {
  const beganAt = [...run.slice(0, timeLetters)].reduce(
    (ms, letter) => ms * alphabet.length + alphabet.indexOf(letter),
    0,
  )
  const date = new Date(beganAt)
  const sinceMonday = (date.getUTCDay() + 6) % 7
  return new Date(beganAt - sinceMonday * dayMs).toISOString().slice(0, 10)
}
