-- The statements of pictures, for Postgres 13 and later. Tables: docs/reference/imagen-tables.md.

-- name: claim
-- Lease the oldest row that is pending, or whose worker fell silent; whoever else claims passes over it.
UPDATE imagen.jobs SET
  status = 'running', lease_no = lease_no + 1, attempts = attempts + 1, worker = :worker,
  lease_expires_at = clock_timestamp() + make_interval(secs => :lease_s),
  started_at = clock_timestamp(), available_at = NULL, finished_at = NULL
WHERE id = (
  SELECT id FROM imagen.jobs
  WHERE status IN ('pending','running') AND (
    (status = 'pending' AND COALESCE(available_at, '-infinity') <= clock_timestamp())
    OR (status = 'running' AND COALESCE(lease_expires_at, '-infinity') <= clock_timestamp())
  )
  ORDER BY created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
)
-- Of a text beyond all bounds only so much is brought here as shows that it is: a row may hold a gigabyte.
RETURNING CAST(id AS text) AS id, CAST(owner_user_id AS text) AS owner, left(prompt, 1000000) AS prompt,
  left(backend, 1000) AS backend, width, height, seed,
  to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day, lease_no, attempts, error, drawn;

-- name: renew
-- Hold a lease for another while; no row: it is another's by now.
UPDATE imagen.jobs SET lease_expires_at = clock_timestamp() + make_interval(secs => :lease_s)
WHERE id = CAST(:id AS uuid) AND lease_no = :lease_no AND status = 'running'
RETURNING lease_no;

-- name: note_drawn
-- Write down what was drawn and where it is to lie, before it lies there.
UPDATE imagen.jobs SET drawn = CAST(:drawn AS jsonb), drawn_at = clock_timestamp()
WHERE id = CAST(:id AS uuid) AND lease_no = :lease_no AND status = 'running'
RETURNING lease_no;

-- name: finish
-- Write the picture's row and end the job's, both or none.
WITH held AS (
  SELECT id, prompt FROM imagen.jobs
  WHERE id = CAST(:id AS uuid) AND lease_no = :lease_no AND status = 'running' FOR UPDATE
), made AS (
  INSERT INTO imagen.images AS i (
    owner_user_id, job_id, prompt, backend, model, seed, width, height, bucket, storage_path, sha256,
    draw_seconds, cost_usd
  )
  SELECT CAST(:owner AS uuid), held.id, held.prompt, :backend, :model, :seed, :width, :height, :bucket, :path, :sha256,
    :seconds, CAST(:cost_usd AS double precision)
  FROM held
  ON CONFLICT (job_id) DO UPDATE SET
    owner_user_id = excluded.owner_user_id, prompt = excluded.prompt, backend = excluded.backend,
    model = excluded.model, seed = excluded.seed, width = excluded.width, height = excluded.height,
    bucket = excluded.bucket, storage_path = excluded.storage_path, sha256 = excluded.sha256,
    draw_seconds = excluded.draw_seconds, cost_usd = excluded.cost_usd, created_at = now()
  RETURNING id
)
UPDATE imagen.jobs SET
  status = 'done', image_id = made.id, finished_at = clock_timestamp(), lease_expires_at = NULL, error = NULL,
  owner_user_id = COALESCE(owner_user_id, CAST(:owner AS uuid))
FROM made WHERE jobs.id = CAST(:id AS uuid)
RETURNING CAST(jobs.image_id AS text) AS image_id;

-- name: finished
-- The picture of a row that ended under this very lease: for whoever lost the reply.
SELECT CAST(image_id AS text) AS image_id FROM imagen.jobs
WHERE id = CAST(:id AS uuid) AND lease_no = :lease_no AND status = 'done';

-- name: fail
-- End a row with what went wrong. An end is repeated without a change.
UPDATE imagen.jobs SET
  status = 'failed', error = :error, finished_at = clock_timestamp(), lease_expires_at = NULL
WHERE id = CAST(:id AS uuid) AND lease_no = :lease_no AND status IN ('running','failed')
RETURNING lease_no;

-- name: release
-- Give a row back, to be claimed again when some seconds have passed; `counted` says whether this was an attempt.
UPDATE imagen.jobs SET
  status = 'pending', error = :error, lease_expires_at = NULL,
  attempts = attempts - CASE WHEN :counted THEN 0 ELSE 1 END,
  available_at = clock_timestamp() + make_interval(secs => :after_s)
WHERE id = CAST(:id AS uuid) AND lease_no = :lease_no AND status = 'running'
RETURNING lease_no;

-- name: open_jobs
-- Which of these rows have not ended.
SELECT CAST(id AS text) AS id FROM imagen.jobs
WHERE id = ANY (CAST(:ids AS uuid[])) AND status IN ('pending','running');

-- name: add_image
-- Write the row of a picture that no job asked for.
INSERT INTO imagen.images (
  id, owner_user_id, prompt, backend, model, seed, width, height, bucket, storage_path, sha256, draw_seconds, cost_usd
) VALUES (
  COALESCE(CAST(:id AS uuid), gen_random_uuid()), CAST(:owner AS uuid), :prompt, :backend, :model, :seed, :width,
  :height, :bucket, :path, :sha256, :seconds, CAST(:cost_usd AS double precision)
)
ON CONFLICT (id) DO UPDATE SET id = excluded.id
RETURNING CAST(id AS text) AS id;

-- name: sees_all
-- Whether this user's view of the rows is not cut down to those of one owner.
SELECT NOT row_security_active('imagen.jobs') OR EXISTS (
  SELECT 1 FROM pg_policies p, unnest(p.roles) AS role
  WHERE p.schemaname = 'imagen' AND p.tablename = 'jobs' AND p.policyname = 'jobs_of_worker'
    AND pg_has_role(CAST(current_user AS name), role, 'USAGE')
) AS all_rows;
