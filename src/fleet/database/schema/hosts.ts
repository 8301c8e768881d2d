/** The hosts and the coordinators of the fleet, and where each tenant lives: one row a file, with its last result. */
export const hostTables = `
create table if not exists holdfast.host(
  name text primary key,
  machine_id text not null,
  boot_id text not null,
  domain text,
  version text not null,
  started_at timestamptz not null,
  seen_at timestamptz not null default now(),
  outbox_rows bigint not null default 0,
  outbox_bytes bigint not null default 0,
  clock_skew_ms bigint not null default 0,
  said text
);
create table if not exists holdfast.coordinator(
  id text primary key,
  host text not null,
  version text not null,
  started_at timestamptz not null default now(),
  seen_at timestamptz not null default now()
);
create table if not exists holdfast.place(
  host text not null,
  service text not null,
  tenant text not null,
  path text not null,
  dev text,
  ino text,
  fs text,
  verdict text,
  damage text,
  checked_at timestamptz,
  sound_at timestamptz,
  run text,
  attempt integer,
  registered_at timestamptz not null default now(),
  gone_at timestamptz,
  primary key (host, service, tenant, path)
);
create index if not exists place_age on holdfast.place (service, sound_at nulls first);
create index if not exists place_tenant on holdfast.place (service, tenant);
create index if not exists place_not_sound on holdfast.place (verdict) where verdict <> 'sound';
`
