-- The ticket that it stands on.
alter table ticket add column upon text;
update ticket set upon = json_extract(body, '$.upon.ticket') where json_extract(body, '$.upon') is not null;
-- Those that wait for a slot or are at work, a few beside all that wait for people. The scheduler looks at them after every
-- step. Their state is no part of it: from the queue to the end of a review nothing here is written again.
create index ticket_at_hand on ticket (id) where state in ('Ready', 'Rework', 'Gate', 'In Progress', 'Adversarial Review');
-- Those that stand on another.
create index ticket_stacked on ticket (active) where active is not null and upon is not null;
