/** Who may pause a tenant now: one row a slot, the epoch in which fences are comparable, and the breaker. */
export const pauseTables = `
create sequence if not exists holdfast.pause_fence;
create table if not exists holdfast.pause_slot(
  scope text not null,
  slot integer not null,
  fence bigint not null default 0,
  holder text,
  hold uuid,
  taken_at timestamptz,
  primary key (scope, slot)
);
create table if not exists holdfast.pause_epoch(
  one boolean primary key default true check (one),
  id text not null
);
create table if not exists holdfast.breaker(
  scope text primary key,
  reason text not null,
  since timestamptz not null default now(),
  by text not null
);
`
