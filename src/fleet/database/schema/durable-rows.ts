/**
 * A server may be set to forget its last commits in a crash (`synchronous_commit = off`). Then a slot would be given
 * out twice, and pauses that a person has stopped would go on. Results would be lost that no outbox has any more. So
 * whoever writes these tables waits until the disk has it, whatever the server is set to.
 */
const tables = ['pause_limit', 'pause_slot', 'pause_epoch', 'breaker', 'result']

export const durableRows: string = [
  `create or replace function holdfast.commit_durably() returns trigger
language plpgsql as $$
begin
  if current_setting('synchronous_commit') = 'off' then perform set_config('synchronous_commit', 'on', true); end if;
  return null;
end
$$;`,
  ...tables.map(
    (table) => `create or replace trigger commits_durably before insert or update or delete on holdfast.${table}
  for each statement execute function holdfast.commit_durably();`,
  ),
].join('\n')
