/** Which version our tables have. The coordinator writes it, agents read it before they start. */
export const versionTables = `
create table if not exists holdfast.schema_version(
  one boolean primary key default true check (one),
  version integer not null,
  since timestamptz not null default now()
);
`
