/** The reference database of the check: events with three indexes, users, long BLOBs and a table WITHOUT ROWID. */
import { createHash } from 'node:crypto'
import Database from 'better-sqlite3'

const schema = `create table users (id integer primary key, email text not null unique, name text, created integer);
create table events (
  id integer primary key, user_id integer not null, kind text not null, at integer not null, payload text
);
create index events_user on events (user_id, at);
create index events_kind on events (kind, at);
create index events_at on events (at);
create table blobs (id integer primary key, sha text not null, data blob); create unique index blobs_sha on blobs (sha);
create table kv (k text primary key, v text) without rowid;`
const kinds = ['click', 'view', 'purchase', 'login', 'logout', 'error']

/** Makes the same bytes in every run. Three million events are 560 MB. */
export function makeReference(file: string, events: number): void {
  const database = new Database(file)
  try {
    for (const pragma of ['journal_mode = off', 'synchronous = off', 'cache_size = -200000']) database.pragma(pragma)
    database.exec(schema)
    const [user, event, blob, pair] = [
      'users values (?,?,?,?)',
      'events values (?,?,?,?,?)',
      'blobs values (?,?,?)',
      'kv values (?,?)',
    ].map((into) => database.prepare(`insert into ${into}`))
    const random = randomFrom(12_345)
    database.transaction(() => {
      for (let i = 1; i <= events / 10; i++)
        user?.run(i, `user${random(1e9)}_${i}@example.com`, `Name ${i}`, random(1e9))
      for (let i = 1; i <= events; i++)
        event?.run(
          i,
          random(events / 10),
          kinds[random(6)],
          random(1e9),
          `{"path":"/a/b/c/${random(1e6)}","ms":${random(1e4)}}`,
        )
      for (let i = 1; i <= events / 100; i++)
        blob?.run(i, createHash('sha1').update(String(i)).digest('hex'), Buffer.alloc(1000 + random(8000), i & 255))
      for (let i = 1; i <= events / 10; i++) pair?.run(`k${random(1e12).toString(36)}${i}`, 'v'.repeat(20))
    })()
    database.pragma('journal_mode = wal')
  } finally {
    database.close()
  }
}

// A program of its own, so that the memory that filling takes is not measured.
if (process.argv[1] === import.meta.filename) makeReference(process.argv[2] ?? '', Number(process.argv[3]))

function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return Math.floor((state / 0x80000000) * below)
  }
}
