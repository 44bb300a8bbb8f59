-- `active` is 2 for what waits for a slot or is at work, so that no index of its own tells of them: SQLite writes the entry
-- of a partial index anew at every update that names a column of its condition, whether or not the entry changes.
drop index ticket_at_hand;
update ticket set active = 2 where state in ('Ready', 'Rework', 'Gate', 'In Progress', 'Adversarial Review');
