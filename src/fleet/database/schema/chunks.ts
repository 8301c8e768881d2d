/**
 * What is left of the runs: a row for each chunk that has not ended. It is planned once and queued from here, so that a
 * coordinator that is killed queues the same chunks again.
 */
export const chunkTables = `
create table if not exists holdfast.chunk(
  run text not null,
  host text not null,
  chunk integer not null,
  kind text not null,
  depth text not null,
  priority integer not null,
  tenants jsonb not null,
  primary key (run, host, chunk)
);
`
