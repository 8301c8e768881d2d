/**
 * The alarms of the fleet: one row for each condition, which is inserted once. Rows that are sent together get the same
 * `batch`, which is the id of the alarm. The coordinator `sender` sends it; another one takes over after it has
 * watched that `sends` no longer grows.
 */
export const conditionTables = `
create table if not exists holdfast.told(
  kind text not null,
  subject text not null,
  since text not null,
  body jsonb not null,
  inserted_at timestamptz not null default now(),
  batch text,
  sender text,
  sends integer not null default 0,
  sent_at timestamptz,
  over_at timestamptz,
  primary key (kind, subject, since)
);
create index if not exists told_unsent on holdfast.told (inserted_at) where sent_at is null;
create index if not exists told_standing on holdfast.told (kind) where over_at is null;
`
