/** The alarms of the fleet. An alarm belongs to the program that inserted its row, so it is raised once. */
export const toldTables = `
create table if not exists holdfast.told(
  kind text not null,
  subject text not null,
  since text not null,
  body jsonb not null,
  inserted_at timestamptz not null default now(),
  sent_at timestamptz,
  primary key (kind, subject, since)
);
create index if not exists told_unsent on holdfast.told (inserted_at) where sent_at is null;
`
