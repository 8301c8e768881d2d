/**
 * What is left of the runs: a row for each chunk that has not ended. It is planned once and fed from here, so that a
 * coordinator that is killed feeds the same chunks again. And which coordinators there are.
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
create table if not exists holdfast.coordinator(
  id text primary key,
  host text not null,
  version text not null,
  started_at timestamptz not null default now(),
  seen_at timestamptz not null default now()
);
create unique index if not exists run_unfinished on holdfast.run (kind) where state in ('feeding', 'fed');
create index if not exists result_delivered on holdfast.result (delivered_at);
create index if not exists result_failed on holdfast.result (failure) where failure is not null;
`
