/** Remedies for people: what is wrong, what is done, what it costs, what is lost, how to undo it, and what to type. */
import { expect, test } from 'vitest'
import type { RemedyResult } from '../../../src/model/result/remedy.ts'
import { remedyText } from '../../../src/report/remedy/remedy-text.ts'
import { remedySamples } from '../../support/remedy-samples.ts'

const { plain, change, plan, ready, events, frameOf, render, applied, restore } = remedySamples

test('a plan says what is wrong, what will be done, what it costs, and the command', () => {
  expect(render('repair', ready)).toBe(`READY  acme  /srv/notes/acme.db
  wrong   DAMAGED (index)
          2 rows of events are missing from index events_kind
          (row-missing-from-index)
  tables  notes: 3 rows counted, not read one by one
  plan    rebuild events_kind; an index can be built anew from its table
  tried   on a copy in this run, in 812 ms: sound, and every table holds what it
          held before
  lost    nothing
  costs   a pause of about 14 ms, longer if the tenant writes meanwhile; at most
          1.1 GB of disk space
  undo afterwards
    holdfast repair --tenant acme --undo
  next
    holdfast repair --tenant acme --apply

1 tenant file: 1 ready, 0 changed, 0 sound already, 0 to decide, 0 failed. No
file was changed. Exit code 0: every plan was tried on a copy and came out
sound.
`)
})

test('a change says what was done, how long the tenant stood still, where the original is, and how to undo it', () => {
  const undo = `holdfast repair --tenant acme --undo ${change}`
  const account = `/var/lib/holdfast/accounts/${change}.json`
  expect(render('repair', { ...ready, applied, account, plan: { ...plan, undo } }))
    .toBe(`APPLIED  acme  /srv/notes/acme.db
  was     DAMAGED (index)
          2 rows of events are missing from index events_kind
          (row-missing-from-index)
  tables  notes: 3 rows counted, not read one by one
  done    rebuilt events_kind by a new file of the same name, 2026-11-28
          03:12:44 UTC, change 01JC5Z9K7Q4W8X2V3B6N0M1T5R
  pause   the tenant did not serve for 12 ms; it serves again and is healthy
  now     sound: a fresh snapshot was checked after the change
  lost    nothing
  kept    the original stays as
          ${applied.original};
          holdfast never deletes it
  account ${account} lists every
          row and entry
  undo
    ${undo}

1 tenant file: 0 ready, 1 changed, 0 sound already, 0 to decide, 0 failed. Exit
code 0: every change was made as asked, and checked afterwards.
`)
})

test('a restore says for each table what is lost, and how to keep what is newer', () => {
  const text = render('restore', restore)
  expect(text.replaceAll(/the backup is .* old/g, 'the backup is N old'))
    .toContain(`  lost    events: at least 10,000 rows LOST, 7 rows cannot be read now, 7 rows
          come back, 2,989,993 rows unchanged; rowids 949, 950, 3000001,
          3000002, 3000003 and 10,002 more
`)
  expect(text).toContain(`  to keep newer rows that are readable
    holdfast restore --tenant acme --merge-newer
`)
  expect(text).toContain('and 3 more findings; `holdfast check` shows them')
  const merging = {
    ...restore,
    plan: { ...restore.plan, command: 'holdfast restore --tenant acme --merge-newer --apply' },
  }
  expect(render('restore', merging)).not.toContain('to keep newer')
})

test('a table whose losses are not known says so', () => {
  const unknown = {
    ...events,
    inBoth: null,
    lost: null,
    changed: null,
    recovered: null,
    unreadable: null,
    keys: [],
    keysTotal: null,
  }
  expect(render('restore', { ...restore, plan: { ...restore.plan, losses: [unknown] } })).toContain(
    '  lost    events: it is not known how many rows are lost\n',
  )
})

test('a salvage says what the new file holds, and no file that was changed', () => {
  const losses = [{ ...events, recovered: 1, inBoth: 1 }]
  const text = render('salvage', { ...ready, plan: { ...plan, do: 'salvage', losses }, applied }).replaceAll(
    /\s+/g,
    ' ',
  )
  expect(text).toContain('SALVAGED acme')
  expect(text).toContain('1 row comes back')
  expect(text).toContain('1 salvaged, 0 failed. Exit code 2: the new file is sound, but rows are lost')
  expect(text).not.toMatch(/\bchanged/)
})

test('an undo says that the original is back, also if it is damaged', () => {
  const text = render('repair', {
    ...ready,
    plan: { ...plan, do: 'undo' },
    applied: { ...applied, verdict: 'damaged' },
  }).replaceAll(/\s+/g, ' ')
  expect(text).toContain('now DAMAGED: a fresh snapshot was checked after the undo')
  expect(text).toContain('Exit code 0: the original is back in its place.')
})

test('a sound file has one line, and nothing to type', () => {
  const sound: RemedyResult = {
    ...ready,
    before: { verdict: 'sound', damage: 'none', findingsTotal: 0 },
    plan: { ...plan, do: 'nothing', undo: null, command: null, why: 'nothing was found' },
    rehearsal: null,
  }
  const text = remedyText(frameOf('repair', [sound]), [{ result: sound, check: null, account: null }], plain)
  expect(text).toBe(`TENANT  REMEDY  STATE  DAMAGE  PAUSE  LOST
acme    -       sound  -           -     -

1 tenant file: 0 ready, 0 changed, 1 sound already, 0 to decide, 0 failed. No
file was changed. Exit code 0: there is nothing to mend.
`)
})

test('a tenant that may be paused is the first thing and the last', () => {
  const failure = { code: 'RESUME_FAILED', message: 'm', hint: 'h', tenantState: 'maybe-paused' } as const
  const lines = render('repair', ready, { ...ready, failure })
    .trimEnd()
    .split('\n')
  const alarm = 'PAUSED: 1 tenant may still be paused: acme'
  expect([lines[0], lines[1], lines.at(-1)]).toEqual([alarm, '    holdfast resume --all', alarm])
})
