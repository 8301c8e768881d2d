/**
 * PGlite serves several processes: M14 (a kill loses nothing that was answered) and M15 (one process opens the folder,
 * and each client gets its own answers, also beside clients that are killed).
 */
import { chmodSync, existsSync, readdirSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, it, test } from 'vitest'
import type { FleetDatabase } from '../../../src/fleet/database/database.ts'
import { openFleetDatabase } from '../../../src/fleet/database/open-database.ts'
import { sleep } from '../../../src/host/clock.ts'
import { makeFolder, type Folder } from '../../support/cli/folder.ts'
import { eventually, type Program, startNode } from '../../support/processes.ts'

const openClient = (dir: string, statementMs?: number): Promise<FleetDatabase> =>
  openFleetDatabase({ database: { kind: 'pglite', dir }, passwordFile: null, caFile: null }, statementMs)

async function startOwner(dir: string): Promise<Program> {
  const owner = startNode('test/support/programs/fleet/pglite-owner.ts', [dir])
  expect(await owner.ready).toEqual({ open: true })
  return owner
}

/** Of all tests: a new database takes seconds, and one that is there is opened in less than one. */
let folder: Folder
let dir = ''
beforeAll(() => {
  folder = makeFolder()
  dir = folder.in('fleet')
})
afterAll(() => folder[Symbol.dispose]())

test('a process that is killed while it makes the folder does not keep the next one from it', async () => {
  await using making = startNode('test/support/programs/fleet/pglite-owner.ts', [dir])
  for (const untilMs = performance.now() + 60_000; !existsSync(`${dir}.new/base`); await sleep(5))
    expect(performance.now()).toBeLessThan(untilMs)
  making.kill('SIGKILL')
  await making.ended
  expect(existsSync(dir)).toBe(false)
  await using _owner = await startOwner(dir)
  expect(readdirSync(folder.path).toSorted()).toEqual(['fleet', 'fleet.lock', 'fleet.sock'])
})

test('a folder that other users can enter is refused', async () => {
  chmodSync(dir, 0o755)
  await using owner = startNode('test/support/programs/fleet/pglite-owner.ts', [dir])
  expect(await owner.ready).toEqual({ refused: 'CONFIG_INVALID' })
  chmodSync(dir, 0o700)
})

test('folder and socket are for one user, and a second process is refused until the first is gone', async () => {
  await using first = await startOwner(dir)
  for (const [name, mode] of [
    [dir, 0o700],
    [`${dir}.sock`, 0o600],
    [`${dir}.lock`, 0o600],
  ] as const)
    expect((statSync(name).mode & 0o777).toString(8), name).toBe(mode.toString(8))
  await using second = startNode('test/support/programs/fleet/pglite-owner.ts', [dir])
  expect(await second.ready).toEqual({ refused: 'FLEET_IN_USE' })
  first.kill('SIGKILL')
  await first.ended
  await using _third = await startOwner(dir)
})

it('what was answered is there after the process is killed, and its clients go on with the next one', async () => {
  await using client = await openClient(dir)
  await expect(client.query('select 1')).rejects.toMatchObject({
    code: 'FLEET_UNREACHABLE',
    hint: expect.stringMatching(/^no coordinator has this folder open/),
  })
  let answered = 0
  for (let round = 0; round < 2; round++) {
    await using owner = await startOwner(dir)
    const { rows } = await client.query<{ n: number }>('select count(*) as n from probe')
    expect(rows[0]?.n).toBeGreaterThanOrEqual(answered)
    answered = rows[0]?.n ?? 0
    const killAt = answered + 20 + Math.floor(Math.random() * 100)
    const insert = `insert into probe(id) values ($1)`
    for (;;) {
      const outcome = await client.query(insert, [`${round}/${answered}`]).catch((error: unknown) => error)
      if (outcome instanceof Error) {
        expect(outcome).toMatchObject({ code: 'FLEET_UNREACHABLE' })
        break
      }
      answered++
      if (answered === killAt) setImmediate(() => owner.kill('SIGKILL')) // While the next one is asked.
    }
    await owner.ended
  }
})

it('a process that is frozen is a failure in time, and answers that come late go to no other question', async () => {
  await using owner = await startOwner(dir)
  await using client = await openClient(dir, 400)
  owner.kill('SIGSTOP')
  await expect(client.query(`select 'late' as what`)).rejects.toMatchObject({ code: 'FLEET_UNREACHABLE' })
  owner.kill('SIGCONT')
  const next = await eventually('it answers in time again', () => client.query(`select 'next' as what`))
  expect(next.rows).toEqual([{ what: 'next' }])
})

it('a statement that leaves a transaction open is rolled back and refused', async () => {
  await using _owner = await startOwner(dir)
  await using one = await openClient(dir)
  await using other = await openClient(dir)
  const insert = `insert into probe(id) values ('open')`
  await expect(one.query(`begin; ${insert}`)).rejects.toThrow('left a transaction open')
  await expect(one.query('START TRANSACTION')).rejects.toThrow('left a transaction open')
  await expect(one.query(`begin; ${insert}; select 1/0; commit`)).rejects.toThrow('division by zero')
  expect((await other.query(`select * from probe where id = 'open'`)).rows).toEqual([])
  await one.query(`begin; ${insert}; commit`)
  expect((await other.query(`select id from probe where id = 'open'`)).rowCount).toBe(1)
})

it('a client that sends no statement is cut off, and no other notices', async () => {
  await using _owner = await startOwner(dir)
  await using client = await openClient(dir)
  for (const line of ['no JSON\n', '{"id":1}\n', '{"id":1,"text":5,"values":[]}\n', '[]\n', 'null\n']) {
    const socket = connect(`${dir}.sock`)
    socket.on('error', () => {})
    socket.write(line)
    await new Promise((resolve) => socket.on('close', resolve).resume())
  }
  expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
})

it('each client gets its own answers, beside clients that are killed', async () => {
  await using _owner = await startOwner(dir)
  await using client = await openClient(dir)
  await client.query(`insert into probe(id) values ('counter')`)
  let printed = ''
  const clients = 6
  for (let round = 0; round < clients / 3; round++) {
    const running = [1, 2, 3].map(() => startNode('test/support/programs/fleet/asking-client.ts', [dir, 'counter']))
    // Killed in the middle of its work, however slow the machine is.
    for (const one of running)
      for (const untilMs = performance.now() + 60_000; one.stdout().split('+').length < 30; await sleep(10))
        expect(performance.now()).toBeLessThan(untilMs)
    for (const one of running) one.kill('SIGKILL')
    for (const one of running) printed += (await one.ended).stdout.split('\n')[1] ?? ''
  }
  expect(printed).not.toContain('WRONG')
  const { rows } = await client.query<{ total: number }>(`select total from probe where id = 'counter'`)
  const answered = printed.split('a').length - 1
  expect(rows[0]?.total).toBeGreaterThanOrEqual(answered)
  expect(rows[0]?.total).toBeLessThanOrEqual(answered + clients)
})
