/**
 * The questions of comparisons by key, and the answers of agents. A comparison deletes its rows when it ends; those of
 * one that was killed are deleted by a later one.
 */
export const questionTables = `
create table if not exists holdfast.question(
  run text not null,
  host text not null,
  number integer not null,
  question text not null,
  answer text,
  asked_at timestamptz not null default now(),
  primary key (run, host, number)
);
`
