-- The statements of pipelines, for SQLite and Postgres 13 and later. Tables: docs/reference/pipeline-tables.md.

-- name: snapshot
-- One snapshot by its id.
SELECT id, dag, graph, created_at, active FROM pipeline_snapshots WHERE id = :id;

-- name: snapshots
-- All snapshots of some pipelines, newest first.
SELECT id, dag, graph, created_at, active FROM pipeline_snapshots ORDER BY created_at DESC, id;

-- name: active_snapshot
-- The snapshot that new runs of a pipeline are bound to.
SELECT id, dag, graph, created_at, active FROM pipeline_snapshots WHERE dag = :dag AND active;

-- name: save_snapshot
-- Store a snapshot once.
INSERT INTO pipeline_snapshots (id, dag, graph, created_at, active) VALUES (:id, :dag, :graph, :created_at, false)
ON CONFLICT (id) DO NOTHING;

-- name: lock_snapshots
-- Nobody else changes which snapshots are active until this transaction ends.
--postgres SELECT pg_advisory_xact_lock(hashtext('pipeline_snapshots ' || current_schema()))
--sqlite SELECT 1
;

-- name: deactivate
-- Leave a pipeline without an active snapshot, for the moment.
UPDATE pipeline_snapshots SET active = false WHERE dag = :dag AND active;

-- name: activate
-- Bind new runs of a pipeline to this snapshot.
UPDATE pipeline_snapshots SET active = true WHERE id = :id;

-- name: save_run
-- Write a new run; a run of that id that is there already stays as it is.
INSERT INTO pipeline_runs (
  id, dag, snapshot, state, hold, began, inputs, inputs_digest, metadata, config, slug, intent, created_at, updated_at
) VALUES (
  :id, :dag, :snapshot, 'queued', '', false, :inputs, :inputs_digest, :metadata, :config, :slug, :intent, :now, :now
) ON CONFLICT (id) DO NOTHING;

-- name: save_task
-- Write one task of a new run.
INSERT INTO pipeline_tasks (
  run, name, dag, place, state, ready_at, attempt, failures, max_attempts, timeout_s, lane, executor, gate, lease_no, since
) VALUES (
  :run, :name, :dag, :place, 'pending', :ready_at, 0, 0, :max_attempts, :timeout_s, :lane, :executor, :gate, 0, :now
);

-- name: digests
-- Of runs that exist already: what they were started with.
SELECT id, dag, inputs_digest FROM pipeline_runs WHERE id IN :runs;

-- name: lock_runs
-- Some runs, each locked until the transaction ends, always in the same order. Whoever claims one of their tasks
-- meanwhile may still write its event, which refers to the run: it holds the task, for which we wait next.
SELECT id, dag, snapshot, state, hold, began, settled, created_at, updated_at, finished_at
FROM pipeline_runs WHERE id IN :runs ORDER BY id
--postgres FOR NO KEY UPDATE
;

-- name: lock_free_runs
-- As lock_runs, without those that others have locked.
SELECT id, dag, snapshot, state, hold, began, settled, created_at, updated_at, finished_at
FROM pipeline_runs WHERE id IN :runs ORDER BY id
--postgres FOR NO KEY UPDATE SKIP LOCKED
;

-- name: lock_tasks
-- Of some runs that are locked the tasks that others may change all the same: those that are ready they claim, and of
-- those at work they renew the leases. What the tasks are is asked afterwards: then it stays so.
--sqlite SELECT 1 FROM pipeline_tasks WHERE run IN :runs
--postgres SELECT 1 FROM unnest(CAST(:runs AS TEXT[])) AS wanted (run) CROSS JOIN LATERAL (
--postgres   SELECT 1 FROM pipeline_tasks
--postgres   WHERE pipeline_tasks.run = wanted.run AND (ready_at IS NOT NULL OR lease_expires_at IS NOT NULL)
--postgres   ORDER BY place FOR UPDATE
--postgres ) AS t
;

-- name: change_run
-- Write what a transaction made of a run.
UPDATE pipeline_runs SET
  state = :state, hold = :hold, began = :began, settled = :settled, updated_at = :updated_at, finished_at = :finished_at
WHERE id = :id;

-- name: change_task
-- Write what a transaction made of a task; its result stays unless there is a new one.
UPDATE pipeline_tasks SET
  state = :state, ready_at = :ready_at, attempt = :attempt, failures = :failures, lease_no = :lease_no,
  lease_owner = :lease_owner, lease_expires_at = :lease_expires_at, parked_at = :parked_at, deadline_at = :deadline_at,
  jobs_attempt = :jobs_attempt, input_hash = :input_hash, instruction = :instruction, error = :error, since = :since, started_at = :started_at,
  finished_at = :finished_at, result = coalesce(:result, result)
WHERE run = :run AND name = :name;

-- name: tell
-- Write one event; its position follows when the order is settled.
INSERT INTO pipeline_events (run, task, attempt, kind, at, data) VALUES (:run, :task, :attempt, :kind, :at, :data);

-- name: claimable
-- Tasks that may be claimed now and are in no lane, the longest ready first; those that others look at are passed over.
SELECT run, name, lease_no, attempt FROM pipeline_tasks
WHERE dag = :dag AND ready_at IS NOT NULL AND ready_at <= :now AND lane IS NULL AND name IN :names
ORDER BY ready_at LIMIT :count
--postgres FOR UPDATE SKIP LOCKED
;

-- name: claimable_in_lanes
-- The same for tasks of lanes in which nothing is at work, one for each lane.
SELECT t.run, t.name, t.lease_no, t.attempt, t.lane FROM pipeline_tasks AS t
WHERE t.dag = :dag AND t.ready_at IS NOT NULL AND t.ready_at <= :now AND t.lane IS NOT NULL AND t.name IN :names
  AND NOT EXISTS (
    SELECT 1 FROM pipeline_tasks AS busy
    WHERE busy.lane = t.lane AND busy.lane IS NOT NULL AND busy.state = 'processing' AND busy.parked_at IS NULL
  )
ORDER BY t.ready_at LIMIT :count
--postgres FOR UPDATE SKIP LOCKED
;

-- name: take_lane
-- Nobody else puts a task of this lane to work until this transaction ends.
--postgres SELECT pg_try_advisory_xact_lock(hashtext('pipeline lane ' || current_schema() || ' ' || :lane)) AS taken
;

-- name: lane_is_free
-- Nothing of a lane that was taken is at work. A statement of its own: that of the taking sees what was committed
-- before it began, and so not what the last holder did who let go of the lane in just that moment.
--postgres SELECT NOT EXISTS (
--postgres   SELECT 1 FROM pipeline_tasks WHERE lane = :lane AND state = 'processing' AND parked_at IS NULL
--postgres ) AS free
;

-- name: begin
-- Lease a task: the caller holds its row.
UPDATE pipeline_tasks SET
  state = 'processing', ready_at = NULL, lease_no = lease_no + 1,
  attempt = attempt + CASE WHEN jobs_attempt > 0 THEN 0 ELSE 1 END, lease_owner = :owner,
  lease_expires_at = :expires_at, since = :now, started_at = :now, finished_at = NULL, error = NULL
WHERE run = :run AND name = :name;

-- name: begin_runs
-- Of runs in which something is claimed for the first time: say that they began.
UPDATE pipeline_runs SET state = 'running', began = true, updated_at = :now WHERE id = :run AND NOT began;

-- name: claimed
-- What a worker needs of the tasks it claimed; run by run as in tasks_unlocked.
SELECT t.run, t.name, t.dag, t.attempt, t.lease_no, t.timeout_s, t.executor, t.failures, t.jobs_attempt, t.input_hash, t.instruction, t.result,
  r.inputs, r.began, r.snapshot, r.config, r.slug
--sqlite FROM pipeline_tasks AS t JOIN pipeline_runs AS r ON r.id = t.run
--sqlite WHERE t.run IN :runs AND t.name IN :names AND t.state = 'processing' AND t.lease_owner = :owner
--postgres FROM unnest(CAST(:runs AS TEXT[])) AS wanted (run)
--postgres CROSS JOIN LATERAL (SELECT * FROM pipeline_runs WHERE pipeline_runs.id = wanted.run OFFSET 0) AS r
--postgres CROSS JOIN LATERAL (
--postgres   SELECT * FROM pipeline_tasks WHERE pipeline_tasks.run = wanted.run AND pipeline_tasks.name IN :names
--postgres   AND pipeline_tasks.state = 'processing' AND pipeline_tasks.lease_owner = :owner OFFSET 0
--postgres ) AS t
;

-- name: results
-- What tasks of some runs returned; run by run as in tasks_unlocked.
--sqlite SELECT t.run, t.name, t.result FROM pipeline_tasks AS t
--sqlite WHERE t.run IN :runs AND t.name IN :names AND t.state = 'succeeded'
--postgres SELECT t.run, t.name, t.result FROM unnest(CAST(:runs AS TEXT[])) AS wanted (run) CROSS JOIN LATERAL (
--postgres   SELECT * FROM pipeline_tasks WHERE pipeline_tasks.run = wanted.run AND pipeline_tasks.name IN :names
--postgres   AND pipeline_tasks.state = 'succeeded' OFFSET 0
--postgres ) AS t
;

-- name: renew
-- Hold a lease for longer, if it is still this worker's. One that a transaction works on waits for the next time.
UPDATE pipeline_tasks SET lease_expires_at = :expires_at
WHERE run = :run AND name = :name AND lease_no = :lease_no AND lease_owner = :owner AND state = 'processing'
  AND parked_at IS NULL
--postgres AND EXISTS (SELECT 1 FROM pipeline_tasks AS free WHERE free.run = :run AND free.name = :name FOR UPDATE SKIP LOCKED)
;

-- name: leases_of
-- The leases that a worker holds.
SELECT run, name, lease_no FROM pipeline_tasks WHERE lease_expires_at IS NOT NULL AND lease_owner = :owner;

-- name: expired
-- Runs with leases that ran out.
SELECT DISTINCT run FROM pipeline_tasks
WHERE lease_expires_at IS NOT NULL AND lease_expires_at < :now ORDER BY run LIMIT :count;

-- name: next_ready
-- When something will be ready for somebody who finds nothing now.
SELECT min(ready_at) AS at FROM pipeline_tasks WHERE dag IN :dags AND ready_at IS NOT NULL AND ready_at > :now;

-- name: lock_order
-- Nobody else places events until this transaction ends.
--postgres SELECT pg_advisory_xact_lock(hashtext('pipeline_events ' || current_schema()))
--sqlite SELECT 1
;

-- name: last_position
-- Where the order of all events ends.
SELECT coalesce(max(position), 0) AS position FROM pipeline_events;

-- name: unplaced
-- Events that have no place in the order yet, as they were written.
SELECT id FROM pipeline_events WHERE position IS NULL ORDER BY id LIMIT :count;

-- name: place
-- Give an event its place.
UPDATE pipeline_events SET position = :position WHERE id = :id;

-- name: events_after
-- The trail of all runs behind a position, in order.
SELECT position, run, task, attempt, kind, at, data FROM pipeline_events
WHERE position > :position ORDER BY position LIMIT :count;

-- name: events_of
-- The trail of one run behind a position, in order.
SELECT position, run, task, attempt, kind, at, data FROM pipeline_events
WHERE run = :run AND position > :position ORDER BY position LIMIT :count;

-- name: open_gate
-- A person is asked about a task.
INSERT INTO pipeline_gates (run, task, attempt, seen, opened_at, due_at, decision, operator, decided_at)
VALUES (:run, :task, :attempt, :seen, :now, :due_at, :decision, :operator, :decided_at);

-- name: gate
-- The newest opening of a gate.
SELECT * FROM pipeline_gates WHERE run = :run AND task = :task ORDER BY number DESC LIMIT 1;

-- name: decide
-- Close a gate that is open.
UPDATE pipeline_gates SET decision = :decision, operator = :operator, notes = :notes, decided_at = :now
WHERE number = :number AND decision IS NULL;

-- name: look_again
-- What an open gate is about has changed.
UPDATE pipeline_gates SET seen = :seen WHERE number = :number AND decision IS NULL;

-- name: remind
-- Note that the operators were reminded of a gate.
UPDATE pipeline_gates SET reminded_at = :now WHERE number = :number;

-- name: due_gates
-- Open gates whose time is over and of which nobody was reminded.
SELECT * FROM pipeline_gates
WHERE decision IS NULL AND due_at IS NOT NULL AND due_at <= :now AND reminded_at IS NULL ORDER BY number LIMIT :count;

-- name: open_gates
-- Every gate that waits for a person, the oldest first.
SELECT * FROM pipeline_gates WHERE decision IS NULL ORDER BY number;

-- name: gates_of
-- All that was ever asked and decided about a run.
SELECT * FROM pipeline_gates WHERE run = :run ORDER BY number;

-- name: record_artifact
-- Note a file that a stage made, in the place of an earlier one under the same path.
INSERT INTO pipeline_artifacts (run, path, task, attempt, type, sha256, size, measures, placeholder, at)
VALUES (:run, :path, :task, :attempt, :type, :sha256, :size, :measures, :placeholder, :at)
ON CONFLICT (run, path) DO UPDATE SET task = excluded.task, attempt = excluded.attempt, type = excluded.type,
  sha256 = excluded.sha256, size = excluded.size, measures = excluded.measures, placeholder = excluded.placeholder,
  at = excluded.at;

-- name: forget_artifacts
-- A stage was done anew: what it made before and no longer makes goes.
DELETE FROM pipeline_artifacts WHERE run = :run AND task = :task AND attempt < :attempt;

-- name: artifacts_of
-- The files of a run, in the order of its stages.
SELECT a.* FROM pipeline_artifacts AS a
LEFT JOIN pipeline_tasks AS t ON t.run = a.run AND t.name = a.task
WHERE a.run = :run ORDER BY t.place, a.path;

-- name: order_external_job
-- Note work that the queue is to do for a parked task, once.
INSERT INTO pipeline_external_jobs (run, task, attempt, request_id, place, spec, state, updated_at)
VALUES (:run, :task, :attempt, :request_id, :place, :spec, 'ordered', :now)
ON CONFLICT (run, task, attempt, request_id) DO NOTHING;

-- name: external_jobs
-- The queue's work for the attempt at hand of a parked task.
SELECT request_id, place, spec, state, result FROM pipeline_external_jobs
WHERE run = :run AND task = :task AND attempt = :attempt ORDER BY place;

-- name: change_external_job
-- Note what became of one job.
UPDATE pipeline_external_jobs SET state = :state, result = :result, updated_at = :now
WHERE run = :run AND task = :task AND attempt = :attempt AND request_id = :request_id;

-- name: done_before
-- Jobs of earlier attempts of a task that were done, whose results still count where the same is asked again.
SELECT request_id, spec, result FROM pipeline_external_jobs
WHERE run = :run AND task = :task AND attempt < :attempt AND state = 'done' ORDER BY attempt;

-- name: orphaned_jobs
-- Jobs that nobody waits for any more: their run was canceled, or their task began anew.
SELECT e.run, e.task, e.attempt, e.request_id FROM pipeline_external_jobs AS e
JOIN pipeline_tasks AS t ON t.run = e.run AND t.name = e.task
WHERE e.state IN ('ordered','enqueued','running') AND (t.parked_at IS NULL OR t.attempt <> e.attempt)
ORDER BY e.run, e.task, e.attempt, e.place LIMIT :count;

-- name: parked
-- Tasks whose work the queue has.
SELECT run, name, dag, attempt, parked_at, deadline_at, timeout_s FROM pipeline_tasks
WHERE parked_at IS NOT NULL ORDER BY parked_at, run, name;

-- name: run
-- One run with what it was started with.
SELECT * FROM pipeline_runs WHERE id = :run;

-- name: tasks_of
-- The tasks of one run with their results.
SELECT * FROM pipeline_tasks WHERE run = :run ORDER BY place;

-- name: depth
-- How many tasks are in each state.
SELECT dag, state, count(*) AS tasks, sum(CASE WHEN ready_at IS NOT NULL AND ready_at <= :now THEN 1 ELSE 0 END) AS ready
FROM pipeline_tasks GROUP BY dag, state ORDER BY dag, state;

-- name: stale_leases
-- Leases that ran out and that nobody took back yet.
SELECT run, name, dag, lease_owner, lease_expires_at, attempt FROM pipeline_tasks
WHERE lease_expires_at IS NOT NULL AND lease_expires_at < :now ORDER BY lease_expires_at;

-- name: failures
-- The stages that failed most since a time, with the newest reason.
SELECT r.dag, e.task, count(*) AS failures, max(e.at) AS last_at, max(e.id) AS last_id
FROM pipeline_events AS e JOIN pipeline_runs AS r ON r.id = e.run
WHERE e.kind = 'stage_failed' AND e.at >= :since
GROUP BY r.dag, e.task ORDER BY failures DESC, last_at DESC LIMIT :count;

-- name: event_by_id
-- One event.
SELECT position, run, task, attempt, kind, at, data FROM pipeline_events WHERE id = :id;

-- name: retryable
-- Tasks that failed, for whoever wants to try them again.
SELECT run, name, dag, state, failures, attempt, since FROM pipeline_tasks
WHERE state IN ('failed','dead') AND since >= :since AND failures >= :min_failures ORDER BY run, place;

-- name: unknown_to_code
-- Claimable tasks that newer code does not have any more, of runs bound to an older snapshot.
SELECT t.run, t.name FROM pipeline_tasks AS t
JOIN pipeline_runs AS r ON r.id = t.run JOIN pipeline_snapshots AS s ON s.id = r.snapshot
WHERE t.dag = :dag AND t.ready_at IS NOT NULL AND t.name NOT IN :names AND s.created_at < :created_at
ORDER BY t.run, t.place LIMIT :count;

-- name: unsettled
-- Runs in which workers finished something and left it to the orchestrator what follows.
SELECT id FROM pipeline_runs WHERE NOT settled AND id > :after ORDER BY id LIMIT :count;

-- name: not_ended
-- Runs that have not ended, for the orchestrator to look through.
SELECT id FROM pipeline_runs WHERE state NOT IN ('completed','failed','canceled') AND id > :after
ORDER BY id LIMIT :count;

-- name: runs_unlocked
-- Some runs as they are.
SELECT id, dag, snapshot, state, hold, began, settled, created_at, updated_at, finished_at
FROM pipeline_runs WHERE id IN :runs ORDER BY id;

-- name: tasks_unlocked
-- The tasks of some runs as they are, without their results; the columns in the order of `TaskRow`. On Postgres run by
-- run: of a list of runs it expects so many tasks that it would read a table of some thousand rows whole.
SELECT t.run, t.name, t.dag, t.place, t.state, t.max_attempts, t.timeout_s, t.since, t.ready_at, t.attempt, t.failures,
  t.lane, t.executor, t.gate, t.lease_no, t.lease_owner, t.lease_expires_at, t.parked_at, t.deadline_at, t.jobs_attempt,
  t.input_hash, t.instruction, t.error, t.started_at, t.finished_at
--sqlite FROM pipeline_tasks AS t WHERE t.run IN :runs ORDER BY t.run, t.place
--postgres FROM unnest(CAST(:runs AS TEXT[])) AS wanted (run) CROSS JOIN LATERAL (
--postgres   SELECT * FROM pipeline_tasks WHERE pipeline_tasks.run = wanted.run ORDER BY place OFFSET 0
--postgres ) AS t
;
