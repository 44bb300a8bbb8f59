-- Repositories the App is installed in, keyed by number because names change.
create table repo (
  id integer primary key,
  owner text not null,
  name text not null,
  installation integer not null,
  default_branch text not null,
  private integer not null,
  config text,
  -- JSON: what counts besides the text of its own file.
  sources text,
  config_at text,
  -- The newest of which nothing was wrong, and its commit; without a commit there was none yet.
  sound_config text,
  sound_sources text,
  sound_personas text,
  sound_at text,
  house_rules text,
  -- JSON: the text of each by its name.
  personas text,
  synced_at integer not null default 0,
  removed_at integer,
  -- What was last decided to be told of faults in it: a digest while there are any, the number of the telling, and with
  -- which telling at which commit they began.
  told text,
  tellings integer not null default 0,
  told_since text not null default ''
);

-- One inbox for everything that happened: deliveries, reports of runs, timers, commands, news of performers.
create table inbox (
  seq integer primary key,
  id text not null unique,
  source text not null,
  name text not null,
  action text,
  ticket text,
  body text not null,
  received_at integer not null,
  state text not null default 'new',
  note text,
  -- What it is read in order with; kept where reading it met trouble.
  lane text,
  attempts integer not null default 0,
  due_at integer not null default 0,
  read_at integer
);
create index inbox_new on inbox (seq) where state = 'new';
create index inbox_troubled on inbox (lane) where lane is not null;

create table ticket (
  id text primary key,
  repo integer not null,
  number integer not null,
  ref text not null,
  title text not null default '',
  url text not null default '',
  author text not null default '',
  branch text not null default '',
  version integer not null,
  state text not null,
  body text not null,
  pull integer,
  head text,
  since integer not null,
  updated_at integer not null,
  queued_at integer,
  -- 1 on its way, 0 parked in Backlog or Blocked, null once closed. It changes seldom: an index over the state itself
  -- would be rewritten at nearly every step.
  active integer default 0,
  -- 1 to 4, half a step earlier within the tracker's current cycle; none is null.
  priority real,
  writes integer not null default 0,
  answers integer not null default 0
);
-- Closed tickets pile up and nobody waits for them.
create index ticket_open on ticket (active) where active is not null;
create index ticket_number on ticket (repo, number);
create index ticket_pull on ticket (repo, pull) where pull is not null;
create index ticket_head on ticket (head) where head is not null;

-- What the machine went by when it decided: each kept once, for all lines that say so.
create table policy (
  id integer primary key,
  body text not null unique
);

-- Append-only: one line for each event that had a row, chained by hash. What a step writes is kept small: the hash before is
-- that of the line before, and the view `line` tells it.
create table ledger (
  seq integer primary key,
  ticket text not null,
  version integer not null,
  event_id text not null,
  at integer not null,
  actor text not null,
  -- The actor's on the repository, where it was read.
  permission text,
  event text not null,
  row text not null,
  from_state text not null,
  to_state text not null,
  policy integer not null,
  hash text not null
);
create unique index ledger_event on ledger (ticket, event_id);
create view line as
  select seq, ticket, version, event_id, at, actor, permission, event, row, from_state, to_state,
    coalesce((select body from policy where id = ledger.policy), '') as policy,
    iif(seq = 1, printf('%064d', 0), coalesce((select hash from ledger as before where before.seq = ledger.seq - 1), '')) as prev,
    hash
  from ledger;

-- The effects that wait, by ticket: a step touches one place of this table and nothing of what has ended. An effect of a
-- ledger line has its number from the line's: line * 1000 + place.
create table outbox (
  ticket text not null,
  seq integer not null,
  key text not null,
  type text not null,
  body text not null,
  attempts integer not null default 0,
  due_at integer not null default 0,
  snoozed integer not null default 0,
  note text,
  created_at integer not null,
  primary key (ticket, seq)
) without rowid;

-- The effects that are over, under the numbers they waited by.
create table ended_effect (
  ticket text not null,
  seq integer not null,
  key text not null,
  type text not null,
  body text not null,
  state text not null,
  attempts integer not null,
  note text not null,
  created_at integer not null,
  ended_at integer not null,
  primary key (ticket, seq)
) without rowid;
create index ended_effect_failed on ended_effect (ticket) where state = 'failed';

create view effect (ticket, seq, key, type, state, attempts, note, due_at) as
  select ticket, seq, key, type, 'new', attempts, note, due_at from outbox
  union all
  select ticket, seq, key, type, state, attempts, note, 0 from ended_effect;

-- What a person released, by its hash: agents see exactly this text.
create table spec (
  hash text primary key,
  title text not null,
  body text not null
);

-- One invocation of an agent.
create table agent_session (
  id integer primary key autoincrement,
  key text not null unique,
  run text not null,
  ticket text not null,
  role text not null,
  runtime text not null,
  model text,
  family text,
  -- 'observed' in the stream, or 'configured': named by the operator's agents file and seen by nobody.
  model_by text,
  session text,
  input_tokens integer not null default 0,
  cached_input_tokens integer not null default 0,
  output_tokens integer not null default 0,
  reasoning_tokens integer not null default 0,
  usd real not null default 0,
  priced_by text not null default 'none',
  price_version text not null default '',
  total text,
  log_path text,
  outcome text,
  -- A tool was used.
  acted integer not null default 0,
  -- Of an end that is none of the work's: why its runtime could not go on.
  why text,
  started_at integer not null,
  ended_at integer
);
create index agent_session_ticket on agent_session (ticket, role);
create index agent_session_run on agent_session (run);
create index agent_session_day on agent_session (started_at);

-- Money set aside before a run spends; gone when the run settles: what it spent is in its sessions.
create table reservation (
  run text primary key,
  ticket text not null,
  repo integer not null,
  -- All that the run may spend, with what it has spent before; whose cap ends it, and that cap.
  usd real not null,
  level text not null,
  cap_usd real not null,
  at integer not null,
  -- When the run has taken too long; null once that is told, and where nothing limits it.
  due_at integer
) without rowid;

-- A runtime that could not work, until it works again; left out of its chain while it is down.
create table runtime_trouble (
  runtime text primary key,
  failures integer not null,
  code text not null,
  why text not null,
  since integer not null,
  down_until integer not null
) without rowid;

-- What queued tickets wait for, as it was found: an issue that is not done.
create table blocker (
  ticket text not null,
  ref text not null,
  "is" text not null,
  version integer not null,
  at integer not null,
  primary key (ticket, ref)
) without rowid;

create table timer (
  id text primary key,
  ticket text not null,
  name text not null,
  body text not null,
  due_at integer not null
) without rowid;
create index timer_due on timer (due_at);

-- The deadline of a run lies beside its money, which begins and ends with it: a step writes one page for both.
create view due (id, ticket, name, body, due_at) as
  select id, ticket, name, body, due_at from timer
  union all
  select 'deadline:' || run, ticket, 'deadline', json_object('run', run), due_at from reservation where due_at is not null;

-- Ids of things we wrote on the forge (comments, checks), so that the next write finds them.
create table remembered (
  key text primary key,
  value text not null
);

create table setting (
  key text primary key,
  value text not null,
  actor text not null,
  at integer not null
);

-- Linear workspaces that were signed in to. Tokens are sealed with a key that is not in here.
create table linear_workspace (
  -- Linear's id of the organisation.
  id text primary key,
  name text not null,
  url_key text not null,
  user_id text not null,
  user_name text not null,
  client text not null,
  -- 'code' or 'client-credentials'.
  granted_by text not null,
  scopes text not null,
  access text not null,
  refresh text,
  obtained_at integer not null,
  expires_at integer not null,
  -- Grows with each pair of tokens.
  generation integer not null,
  signed_in_at integer not null,
  -- A person must sign in again; null while all is well.
  signed_out_at integer,
  signed_out_why text,
  -- JSON of who asks for new tokens now, and since when: only they may use the refresh token.
  refreshing_by text,
  refreshing_at integer,
  -- Of trouble that passes, in a row.
  failures integer not null default 0,
  failure text,
  retry_at integer not null default 0
) without rowid;

-- The last word on whether the app may see a team.
create table linear_team (
  workspace text not null,
  team text not null,
  "is" text not null,
  at integer not null,
  primary key (workspace, team)
) without rowid;

-- Agent sessions of Linear that we were called into.
create table linear_session (
  -- Linear's own id.
  id text primary key,
  workspace text not null,
  -- Both null where it hangs on no issue.
  issue text,
  ticket text,
  -- The comment that began its thread.
  thread text,
  -- Who called us: a user of the workspace; null where Linear names nobody.
  creator text,
  created_at integer not null,
  -- 'open'; 'stopping' until what a person stopped has stopped; 'stopped'; 'over'; 'gone' when Linear has it no more.
  state text not null default 'open',
  stopped_by text,
  -- When that was said: what was said before it and is read only now begins nothing.
  stopped_at integer,
  -- How many of the ticket's ledger lines are told, or wait as words; -1 before the first look.
  told integer not null default -1,
  -- JSON, as wanted and as Linear was last told.
  plan text,
  plan_said text,
  planned_at integer not null default 0,
  links text,
  links_said text,
  delegate_settled integer not null default 0,
  -- JSON of the question that was put last and waits for its answer.
  asking text,
  said_at integer not null default 0,
  -- Of trouble in a row.
  attempts integer not null default 0,
  due_at integer not null default 0,
  note text
) without rowid;
create index linear_session_open on linear_session (state) where state in ('open', 'stopping');
create index linear_session_thread on linear_session (thread) where thread is not null;

-- What is to be said in a session, in order, and what was: each once under its key.
create table linear_word (
  seq integer primary key,
  session text not null,
  key text not null,
  body text not null,
  put_at integer not null,
  said_at integer,
  unique (session, key)
);
create index linear_word_unsaid on linear_word (session) where said_at is null;

-- Lets somebody into the dashboard once.
create table web_token (
  hash text primary key,
  who text not null,
  expires_at integer not null,
  -- Of this host, whose browser alone may follow it; null: whoever has it.
  uid integer
) without rowid;

-- Somebody who is in the dashboard, by the hash of their cookie.
create table web_session (
  hash text primary key,
  who text not null,
  csrf text not null,
  expires_at integer not null,
  -- 'link': an operator with a link of `forgehand open`; 'github': a person who logged in there.
  kind text not null default 'link',
  -- Of a person: the number of their account.
  account integer,
  opened_at integer not null,
  seen_at integer not null
) without rowid;

-- What was answered to orders that came with a key: repeated, they are answered the same. Refusals are kept for a day.
create table kept_answer (
  id text primary key,
  asked text not null,
  answer text not null,
  at integer not null
) without rowid;
create index kept_answer_at on kept_answer (at) where answer ->> 'is' <> 'taken';

-- What operators did on pages that is no ticket's line: append-only.
create table deed (
  seq integer primary key,
  at integer not null,
  -- As the ledger names them: `operator:ada`.
  actor text not null,
  surface text not null,
  -- What, in two words, such as `breaker reset`.
  what text not null,
  about text not null,
  note text not null
);
-- Lets a program in, by the hash of what it presents.
create table api_token (
  hash text primary key,
  name text not null unique,
  -- 'read', 'act', 'admin' or 'metrics'
  scope text not null,
  -- JSON of repository numbers; null: all of them.
  repos text,
  made_by text not null,
  made_at integer not null,
  -- Null: until it is revoked.
  expires_at integer,
  used_at integer
) without rowid;

-- What people are told beside the forge: each once under its key and channel. A channel's rows are a lane of their own.
create table notification (
  seq integer primary key,
  -- Service and part of a hash: no secret.
  channel text not null,
  key text not null,
  -- What it is about: the same again within a while waits until the while is over.
  topic text not null,
  kind text not null,
  ticket text,
  -- JSON.
  body text not null,
  -- 'waiting', 'sending', 'sent', 'dropped' or 'failed'.
  state text not null default 'waiting',
  -- Of the message it is sent in, alone or with others; kept while nobody knows whether that arrived.
  message text,
  -- How often this very message was begun, and how often it was tried in all.
  sends integer not null default 0,
  attempts integer not null default 0,
  -- How often it came again since it was last told.
  again integer not null default 0,
  due_at integer not null,
  created_at integer not null,
  ended_at integer,
  note text,
  unique (channel, key)
);
create index notification_open on notification (channel) where ended_at is null;
create index notification_topic on notification (channel, topic);
-- What happened, counted for graphs: what a scrape tells, without anybody counting the ledger again.
create table tally (
  metric text not null,
  -- JSON object, its keys in order.
  labels text not null,
  value real not null,
  primary key (metric, labels)
) without rowid;

-- How far somebody who only looks on (graphs, traces) has followed what happened. JSON.
create table follower (
  name text primary key,
  position text not null
) without rowid;

-- Tickets that are over, newest end first, with what a walk through them asks; a step pays for it once in a ticket's life.
create index ticket_over on ticket (since, id, state, repo) where active is null;
-- By the names that people use.
create index ticket_ref on ticket (ref collate nocase);
create index ticket_numbered on ticket (number);

-- How many tickets are over, by how they ended.
create table over_count (
  repo integer not null,
  state text not null,
  n integer not null,
  primary key (repo, state)
) without rowid;

-- The labels of a ticket as its facts were last read.
create table ticket_label (
  ticket text not null,
  label text not null,
  primary key (ticket, label)
) without rowid;
create index ticket_labelled on ticket_label (label collate nocase, ticket);

-- What tickets are searched by: name and title, in lower case.
create table ticket_text (
  number integer primary key,
  ticket text not null unique,
  text text not null
);
create virtual table ticket_words using fts5 (text, content = 'ticket_text', content_rowid = 'number', tokenize = 'trigram');
create trigger ticket_text_new after insert on ticket_text begin
  insert into ticket_words (rowid, text) values (new.number, new.text);
end;
create trigger ticket_text_changed after update of text on ticket_text begin
  insert into ticket_words (ticket_words, rowid, text) values ('delete', old.number, old.text);
  insert into ticket_words (rowid, text) values (new.number, new.text);
end;

create index agent_session_runtime on agent_session (runtime, ticket);

-- What each session adds to the sums of its day, which is the one it started on (UTC).
create view spent as
  select agent_session.key, agent_session.ticket, started_at / 86400000 as day, coalesce(ticket.repo, 0) as repo,
    coalesce(ticket.author, '') as requester, runtime, coalesce(model, '') as model, usd,
    iif(priced_by = 'guess', usd, 0) as guessed_usd, input_tokens, cached_input_tokens as cached_tokens, output_tokens,
    1 as sessions, iif(outcome <> 'done', 1, 0) as failed, iif(outcome <> 'done', usd, 0) as failed_usd
  from agent_session left join ticket on ticket.id = agent_session.ticket;

-- Sums of sessions, kept in the transactions that change those.
create table cost_day (
  day integer not null,
  repo integer not null,
  runtime text not null,
  -- Empty as long as nobody saw it.
  model text not null,
  usd real not null,
  guessed_usd real not null,
  input_tokens integer not null,
  cached_tokens integer not null,
  output_tokens integer not null,
  sessions integer not null,
  failed integer not null,
  failed_usd real not null,
  primary key (day, repo, runtime, model)
) without rowid;

-- The same by `kind`: 'requester'; 'label', where one of several stands in several rows; 'ticket', and 'ticket, whole' of all
-- days together, which is day 0; 'runtime' and 'model' of all repositories together, which is repo -1. Of kinds that end
-- in ', long' a row sums up 32 days, from `day` on.
create table cost_share (
  kind text not null,
  day integer not null,
  repo integer not null,
  value text not null,
  usd real not null,
  guessed_usd real not null,
  input_tokens integer not null,
  cached_tokens integer not null,
  output_tokens integer not null,
  sessions integer not null,
  failed integer not null,
  failed_usd real not null,
  primary key (kind, day, repo, value)
) without rowid;
-- Of all days together: the dearest tickets of any span are among the first.
create index cost_dear on cost_share (usd desc, repo, value, sessions) where kind = 'ticket, whole';
