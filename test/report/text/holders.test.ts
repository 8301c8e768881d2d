import { expect, test } from 'vitest'
import { renderHolders } from '../../../src/report/text/holders.ts'

test('holders are listed apart from what could not be checked', () => {
  const options = { width: 80, color: false }
  expect(renderHolders('/a.db', [], [], options)).toBe('No process has it open, mapped or locked: /a.db\n')
  expect(renderHolders('/a.db', [], ['file tables of 12 processes of other users'], options)).toBe(
    'No process was seen to have it open, mapped or locked: /a.db\nnot checked: file tables of 12 processes of ' +
      'other users\n',
  )
  expect(
    renderHolders(
      '/a.db',
      [{ pid: 7, command: 'sql\nite3', modes: ['write', 'mapped'], path: '/a.db-wal' }],
      [],
      options,
    ),
  ).toBe('FILE       COMMAND    PID  HOW\n/a.db-wal  sql\\nite3    7  write+mapped\n')
})

test('holders: a row for each process, with whole names where nothing is cut', () => {
  const of = (pid: number, part: string, ...modes: readonly ('read' | 'write' | 'mapped')[]) => ({
    pid,
    command: 'node a-rather-long-command.js',
    modes,
    path: `/srv/a.db${part}`,
  })
  const holders = [of(7, '', 'read'), of(7, '-wal', 'write', 'read'), of(7, '-shm', 'mapped'), of(8, '-wal', 'read')]
  const pids = (text: string): readonly string[] => [...text.matchAll(/ (\d) {2}/g)].map(([, pid]) => pid ?? '')
  const piped = renderHolders('/srv/a.db', holders, [], { width: Infinity })
  expect(pids(piped)).toEqual(['7', '8'])
  expect(piped).toContain(
    '/srv/a.db, /srv/a.db-wal, /srv/a.db-shm  node a-rather-long-command.js    7  read+write+mapped',
  )
  expect(renderHolders('/srv/a.db', holders, [], { width: 80, cuts: true })).toContain(
    '/srv/a.db, -wal, -shm  node a-rather-long-comm\u2026    7  read+write+mapped',
  )
})
