/**
 * The ledger's tables. A line is written once and never changed. All other tables can be made again from the lines.
 */

/** 'hldf': identifies the file, so that no file of another program is taken for a ledger. */
export const applicationId = 0x686c6466
/** Raised with each change of the tables that an older holdfast could not use. */
export const schemaVersion = 2

/**
 * The services of the lines, and the ways of reaching them. Row 0 is for the lines of the first version, which record
 * neither. For bare files all columns are null.
 */
export const waySchema = `
create table way (id integer primary key, service text, via text, address text, config text) strict;
create unique index way_by_name on way (ifnull(service, ''), ifnull(via, ''), ifnull(address, ''), ifnull(config, ''))
  where id > 0;
`

/**
 * The newest check of each file in each way, and the newest one that settles something. A quick check neither refreshes
 * a full one nor clears damage.
 */
export const newestCheckSchema = `
create table newest_check (
  tenant text not null,
  path text not null,
  way integer not null,
  sequence integer not null,
  settled integer,
  primary key (tenant, path, way)
) strict, without rowid;
create trigger checked after insert on line when new.kind = 'checked' begin
  insert into newest_check (tenant, path, way, sequence, settled)
  values (new.tenant, new.path, new.way, new.sequence,
    iif(new.verdict = 'damaged' or (new.verdict = 'sound' and new.depth = 'full'), new.sequence, null))
  on conflict do update set sequence = excluded.sequence, settled = coalesce(excluded.settled, settled);
end;
`

export const schema = `
create table line (
  sequence integer primary key autoincrement,
  at integer not null,
  run text not null,
  number integer not null,
  kind text not null,
  tenant text,
  holder text,
  path text,
  verdict text,
  depth text,
  brief text,
  event text not null,
  way integer not null default 0,
  unique (run, number)
) strict;
create index line_of_holder on line (holder, sequence) where holder is not null;
create index line_of_tenant on line (tenant, sequence) where tenant is not null;
create index line_of_run_started on line (sequence) where kind = 'run-started';
create index line_of_run_finished on line (run) where kind = 'run-finished';

create trigger line_is_never_changed before update on line begin select raise(abort, 'the ledger is append-only'); end;
create trigger line_is_never_removed before delete on line begin select raise(abort, 'the ledger is append-only'); end;

-- Holders whose hold is open: found without reading years of history.
create table open_holder (holder text primary key) strict, without rowid;
create trigger hold_asked after insert on line when new.kind = 'hold-asked' begin
  insert into open_holder (holder) values (new.holder) on conflict do nothing;
end;
create trigger hold_ended after insert on line when new.kind = 'hold-ended' begin
  delete from open_holder where holder = new.holder;
end;

${waySchema}
insert into way (id) values (0);
${newestCheckSchema}
pragma application_id = ${applicationId};
pragma user_version = ${schemaVersion};
`

/** All tables, indexes and triggers of a ledger. */
export const schemaNames: readonly string[] = [
  ...schema.matchAll(/^create (?:table|(?:unique )?index|trigger) (\w+)/gm),
].map(([, name = '']) => name)
