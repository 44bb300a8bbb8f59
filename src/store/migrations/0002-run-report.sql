-- A run that ends reports to the inbox in the very statement that ends it: the engine knows nothing of tickets.
create trigger run_reports after update of status on run
when new.status in ('finished', 'failed') and old.status not in ('finished', 'failed', 'cancelled') 
  and (new.id like 'github:%#%/%' or new.id like 'local:%#%/%' or new.id like 'linear:%/%/%')
begin
  insert into inbox (id, source, name, ticket, body, received_at)
  values (
    'run:' || new.id, 'run', new.workflow,
    rtrim(rtrim(new.id, '0123456789'), '/'),
    json_object('run', new.id, 'status', new.status, 'output', json(new.output), 'error', new.error),
    new.settled_at
  )
  on conflict (id) do nothing;
end;
