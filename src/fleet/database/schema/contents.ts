/** What the last full check of each table found: digest, rows and page facts. The comparison of replicas reads it. */
export const contentTables = `
create table if not exists holdfast.content(
  host text not null,
  service text not null,
  tenant text not null,
  path text not null,
  table_name text not null,
  rows bigint,
  digest text,
  facts jsonb,
  run text not null,
  checked_at timestamptz not null,
  primary key (host, service, tenant, path, table_name)
);
create index if not exists content_tenant on holdfast.content (service, tenant, table_name);
`
