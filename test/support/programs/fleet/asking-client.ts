/**
 * Asks the PGlite folder argv[2] over its socket without end, several statements at a time. Each answer must be that
 * of its question: prints `+` for each that is, and `WRONG` for one that is not. Adds to the counter of argv[3], and
 * prints `a` for each addition that was answered.
 */
import { writeSync } from 'node:fs'
import { openFleetDatabase } from '../../../../src/fleet/database/open-database.ts'

const [, , dir = '', counter = ''] = process.argv
const address = { kind: 'pglite', dir } as const
await using database = await openFleetDatabase({ database: address, passwordFile: null, caFile: null })
writeSync(1, '{"ready":true}\n')

async function ask(number: number): Promise<void> {
  const key = `${process.pid}/${number}/${'x'.repeat(number % 5000)}`
  const { rows } = await database.query('select $1::text as key, $2::int as number', [key, number])
  writeSync(1, JSON.stringify(rows) === JSON.stringify([{ key, number }]) ? '+' : 'WRONG')
}

async function add(): Promise<void> {
  await database.query(`begin; update probe set total = total + 1 where id = '${counter}'; commit`)
  writeSync(1, 'a')
}

for (let number = 0; ; number += 3) await Promise.all([ask(number), ask(number + 1), ask(number + 2), add()])
