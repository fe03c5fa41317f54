-- The statements of whoever asks for pictures, for Postgres 13 and later. Tables: docs/reference/imagen-tables.md.

-- name: ask
-- Write a row as an application does; none where one of that id is there.
INSERT INTO imagen.jobs (id, owner_user_id, prompt, backend, width, height, seed) VALUES (
  COALESCE(CAST(:id AS uuid), gen_random_uuid()), CAST(:owner AS uuid), :prompt, :backend, :width, :height,
  CAST(:seed AS bigint)
)
ON CONFLICT (id) DO NOTHING
RETURNING CAST(id AS text) AS id;

-- name: show
-- A row with the picture that it led to; of an owner, where one is meant.
SELECT CAST(j.id AS text) AS id, CAST(j.owner_user_id AS text) AS owner, left(j.prompt, 100000) AS prompt,
  left(j.backend, 1000) AS backend, j.width, j.height, j.seed, j.status, j.error, j.attempts,
  CAST(EXTRACT(EPOCH FROM j.created_at) AS double precision) AS created_at,
  CAST(EXTRACT(EPOCH FROM j.started_at) AS double precision) AS started_at,
  CAST(EXTRACT(EPOCH FROM j.drawn_at) AS double precision) AS drawn_at,
  CAST(EXTRACT(EPOCH FROM j.finished_at) AS double precision) AS finished_at,
  CAST(i.id AS text) AS image_id, i.bucket, i.storage_path AS path, i.sha256, i.seed AS image_seed
FROM imagen.jobs AS j LEFT JOIN imagen.images AS i ON i.id = j.image_id
WHERE j.id = CAST(:id AS uuid) AND (CAST(:owner AS uuid) IS NULL OR j.owner_user_id = CAST(:owner AS uuid));

-- name: list
-- Rows, the newest first, behind the row of an id where one is given.
SELECT CAST(j.id AS text) AS id, CAST(j.owner_user_id AS text) AS owner, left(j.prompt, 100000) AS prompt,
  left(j.backend, 1000) AS backend, j.width, j.height, j.seed, j.status, j.error, j.attempts,
  CAST(EXTRACT(EPOCH FROM j.created_at) AS double precision) AS created_at,
  CAST(EXTRACT(EPOCH FROM j.started_at) AS double precision) AS started_at,
  CAST(EXTRACT(EPOCH FROM j.drawn_at) AS double precision) AS drawn_at,
  CAST(EXTRACT(EPOCH FROM j.finished_at) AS double precision) AS finished_at,
  CAST(i.id AS text) AS image_id, i.bucket, i.storage_path AS path, i.sha256, i.seed AS image_seed
FROM imagen.jobs AS j LEFT JOIN imagen.images AS i ON i.id = j.image_id
WHERE (CAST(:owner AS uuid) IS NULL OR j.owner_user_id = CAST(:owner AS uuid))
  AND (CAST(:status AS text) IS NULL OR j.status = CAST(:status AS text))
  AND (CAST(:after AS uuid) IS NULL OR (j.created_at, j.id) < (
    SELECT created_at, id FROM imagen.jobs WHERE id = CAST(:after AS uuid)
  ))
ORDER BY j.created_at DESC, j.id DESC LIMIT :count;
