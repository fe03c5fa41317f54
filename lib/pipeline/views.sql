-- What people and programs are shown of pipelines. Nothing here writes. Tables: docs/reference/pipeline-tables.md.

-- name: newest_runs
-- The newest runs behind a place in that order, without what they were started with.
SELECT id, dag, snapshot, state, hold, began, settled, created_at, updated_at, finished_at, slug, intent
FROM pipeline_runs WHERE created_at <= :at AND (created_at < :at OR id < :id)
ORDER BY created_at DESC, id DESC LIMIT :count;

-- name: newest_open_runs
-- The newest runs that have not ended.
SELECT id, dag, snapshot, state, hold, began, settled, created_at, updated_at, finished_at, slug, intent
FROM pipeline_runs WHERE state NOT IN ('completed','failed','canceled')
AND created_at <= :at AND (created_at < :at OR id < :id)
ORDER BY created_at DESC, id DESC LIMIT :count;

-- name: newest_runs_of
-- The newest runs of some pipelines.
SELECT id, dag, snapshot, state, hold, began, settled, created_at, updated_at, finished_at, slug, intent
FROM pipeline_runs WHERE dag IN :dags AND created_at <= :at AND (created_at < :at OR id < :id)
ORDER BY created_at DESC, id DESC LIMIT :count;

-- name: newest_open_runs_of
-- The newest runs of some pipelines that have not ended.
SELECT id, dag, snapshot, state, hold, began, settled, created_at, updated_at, finished_at, slug, intent
FROM pipeline_runs WHERE state NOT IN ('completed','failed','canceled') AND dag IN :dags
AND created_at <= :at AND (created_at < :at OR id < :id)
ORDER BY created_at DESC, id DESC LIMIT :count;

-- name: newest_runs_in
-- The newest runs in some states.
SELECT id, dag, snapshot, state, hold, began, settled, created_at, updated_at, finished_at, slug, intent
FROM pipeline_runs WHERE state IN :states AND created_at <= :at AND (created_at < :at OR id < :id)
ORDER BY created_at DESC, id DESC LIMIT :count;

-- name: newest_runs_in_of
-- The newest runs of some pipelines in some states.
SELECT id, dag, snapshot, state, hold, began, settled, created_at, updated_at, finished_at, slug, intent
FROM pipeline_runs WHERE state IN :states AND dag IN :dags AND created_at <= :at AND (created_at < :at OR id < :id)
ORDER BY created_at DESC, id DESC LIMIT :count;

-- name: runs_by_id
-- Some runs without what they were started with.
SELECT id, dag, snapshot, state, hold, began, settled, created_at, updated_at, finished_at, slug, intent
FROM pipeline_runs WHERE id IN :runs ORDER BY id;

-- name: gates_of_runs
-- All that was ever asked and decided about some runs.
SELECT * FROM pipeline_gates WHERE run IN :runs ORDER BY number;

-- name: standing_rejections
-- Rejections in some runs that nobody has answered, the oldest first: nothing was told of the stage since.
SELECT g.* FROM pipeline_gates AS g
WHERE g.run IN :runs AND g.decision = 'rejected'
  AND NOT EXISTS (
    SELECT 1 FROM pipeline_gates AS later WHERE later.run = g.run AND later.task = g.task AND later.number > g.number
  )
  AND (
    SELECT e.kind FROM pipeline_events AS e WHERE e.run = g.run AND e.task = g.task ORDER BY e.id DESC LIMIT 1
  ) = 'gate_rejected'
ORDER BY g.decided_at, g.number;

-- name: artifacts_of_runs
-- The files of some runs, in the order of their stages.
SELECT a.* FROM pipeline_artifacts AS a
LEFT JOIN pipeline_tasks AS t ON t.run = a.run AND t.name = a.task
WHERE a.run IN :runs ORDER BY a.run, t.place, a.path;

-- name: jobs_of_run
-- What the queue was asked to do for a run, the oldest attempt first.
SELECT task, attempt, request_id, state, updated_at FROM pipeline_external_jobs
WHERE run = :run ORDER BY task, attempt, place;

-- name: busy_in_lane
-- Who is at work in a lane.
SELECT run, name FROM pipeline_tasks WHERE lane = :lane AND lane IS NOT NULL AND state = 'processing' AND parked_at IS NULL;

-- name: positions_before
-- Of some runs: the position of the last event that lies at or before a position.
SELECT run, max(position) AS position FROM pipeline_events
WHERE run IN :runs AND position <= :position GROUP BY run;

-- name: newest_events_of
-- The end of the trail of one run before a position, the newest first.
SELECT position, run, task, attempt, kind, at, data FROM pipeline_events
WHERE run = :run AND position < :position ORDER BY position DESC LIMIT :count;

-- name: count_open_gates
-- How many gates wait for a person.
SELECT count(*) AS many FROM pipeline_gates WHERE decision IS NULL;

-- name: told_at_open_gates
-- Of stages at an open gate that were told to do something otherwise: what came of it.
SELECT t.run, t.name, t.result FROM pipeline_gates AS g
JOIN pipeline_tasks AS t ON t.run = g.run AND t.name = g.task
WHERE g.decision IS NULL AND t.instruction IS NOT NULL AND t.result IS NOT NULL;

-- name: count_runs
-- Runs by pipeline and state. Looks at every run.
SELECT dag, state, count(*) AS many FROM pipeline_runs GROUP BY dag, state ORDER BY dag, state;

-- name: count_stages
-- Stages by pipeline and state, with the seconds that those took which ended. Looks at every stage.
SELECT dag, name, state, count(*) AS many, coalesce(sum(finished_at - started_at), 0) AS seconds
FROM pipeline_tasks GROUP BY dag, name, state ORDER BY dag, name, state;

-- name: count_gates
-- Gates by pipeline, stage and decision, with the seconds until then. Looks at every gate.
SELECT r.dag, g.task, coalesce(g.decision, 'open') AS decision, count(*) AS many,
  coalesce(sum(g.decided_at - g.opened_at), 0) AS seconds
FROM pipeline_gates AS g JOIN pipeline_runs AS r ON r.id = g.run
GROUP BY r.dag, g.task, coalesce(g.decision, 'open') ORDER BY r.dag, g.task, coalesce(g.decision, 'open');
