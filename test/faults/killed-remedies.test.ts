/**
 * `repair --apply` and `restore --apply` are killed at random moments while the tenant works. Few of the kills of
 * `npm run soak -- remedies`.
 */
import { describe, expect, it } from 'vitest'
import { randomFrom } from '../support/random.ts'
import { killedCommands, killRemedies } from '../support/remedies/kills.ts'

const seed = Number(process.env['HOLDFAST_SEED'] ?? Date.now() % 1e9)
const kills = 4

describe(`SIGKILL of a remedy, ${kills} times at random moments (HOLDFAST_SEED=${seed})`, () => {
  it.each(Object.keys(killedCommands) as (keyof typeof killedCommands)[])(
    '%s: the tenant is wholly old or wholly new and serves, no write is lost, the next run ends it',
    async (command) => {
      const report = (): void => undefined
      const { complaints, old, new: mended } = await killRemedies({ command, kills, random: randomFrom(seed), report })
      expect(complaints.join('\n')).toBe('')
      expect(old + mended).toBe(kills)
    },
  )
})
