/** The runs of the fleet, and the counts of each host. The statement that delivers results counts them. */
export const runTables = `
create table if not exists holdfast.run(
  id text primary key,
  kind text not null,
  policy jsonb not null default '{}',
  state text not null check (state in ('feeding', 'fed', 'done', 'stopped')),
  begun_at timestamptz not null default now(),
  ended_at timestamptz,
  total bigint not null default 0,
  said text
);
create unique index if not exists run_unfinished on holdfast.run (kind) where state in ('feeding', 'fed');
create table if not exists holdfast.run_host(
  run text not null,
  host text not null,
  total bigint not null default 0,
  done bigint not null default 0,
  sound bigint not null default 0,
  damaged bigint not null default 0,
  inconclusive bigint not null default 0,
  failed bigint not null default 0,
  planned boolean not null default false,
  primary key (run, host)
);
`
