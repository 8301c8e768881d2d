/** The text of the doctor: what several steps met is printed once. */
import { expect, test } from 'vitest'
import { unfit } from '../../src/doctor/steps.ts'
import { Failure } from '../../src/model/failure.ts'
import { renderFitness } from '../../src/report/text/fitness.ts'

const denied = 'this user (uid 1000) may not enter the folder /srv: allow it, or run holdfast as a user who may'

test('a reason that several steps give is printed once, without the other remedies of each', () => {
  const failing = (about: string, message: string, hint: string) =>
    unfit(about, new Failure('NO_PERMISSION', message, { hint }))
  const text = renderFitness(
    {
      steps: [
        failing('root /srv/notes', 'cannot look into /srv/notes', denied),
        failing('snapshot folder', 'cannot write /srv/snapshots', `${denied}; or name another folder`),
        failing('check', 'cannot write /srv/snapshots', `${denied}; or name another folder`),
        failing('ledger', 'cannot open /srv/ledger', 'another reason altogether, that is said in as many words'),
      ],
    },
    { width: Infinity, color: false },
  )
  expect(text.split('\n').slice(0, 6)).toEqual([
    '  UNFIT     root /srv/notes: NO_PERMISSION: cannot look into /srv/notes',
    `            next: ${denied}`,
    '  UNFIT     snapshot folder: NO_PERMISSION: cannot write /srv/snapshots',
    '            next: same as root /srv/notes',
    '  UNFIT     check: same as snapshot folder',
    '  UNFIT     ledger: NO_PERMISSION: cannot open /srv/ledger',
  ])
  expect(text).toContain('next: another reason altogether')
})
