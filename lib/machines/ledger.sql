-- The ledger's statements, for SQLite and Postgres alike. Tables: docs/reference/ledger.md.

-- name: last_epoch
-- The newest epoch that was opened.
SELECT number, owner FROM leader_epochs ORDER BY number DESC LIMIT 1;

-- name: open_epoch
-- Begin a reign.
INSERT INTO leader_epochs (number, owner, began_at) VALUES (:number, :owner, :began_at);

-- name: row
-- One machine, open or closed.
SELECT * FROM machines WHERE token = :token;

-- name: open_rows
-- Every machine that we may pay for, oldest first.
SELECT * FROM machines WHERE closed_at IS NULL ORDER BY number;

-- name: plan
-- Write an intent, before the provider is asked.
INSERT INTO machines (
  token, provider, offer_id, machine_id, host_id, gpu, label, batch, why, intent_epoch, interruptible,
  planned_hourly_micros, hourly_micros, fee_micros, created_at, expires_at, state, since, version, epoch, reason
) VALUES (
  :token, :provider, :offer_id, :machine_id, :host_id, :gpu, :label, :batch, :why, :intent_epoch, :interruptible,
  :hourly_micros, :hourly_micros, :fee_micros, :created_at, :expires_at, :state, :since, :version, :epoch, :reason
);

-- name: change
-- Carry a machine to its next version; the caller has read the row in the same serializable transaction.
UPDATE machines SET
  state = :state, since = :since, version = :version, epoch = :epoch, instance = :instance, reason = :reason,
  hourly_micros = :hourly_micros, closed_at = :closed_at
WHERE token = :token;

-- name: record
-- Write one line of a machine's history.
INSERT INTO machine_events (token, version, at, epoch, event, state, reason)
VALUES (:token, :version, :at, :epoch, :event, :state, :reason);

-- name: history
-- A machine's life, oldest first.
SELECT token, version, at, epoch, event, state, reason FROM machine_events WHERE token = :token ORDER BY version;

-- name: event
-- One line of a machine's history.
SELECT token, version, at, epoch, event, state, reason FROM machine_events
WHERE token = :token AND version = :version;

-- name: charge
-- Set what a machine cost in one hour for one category: a total that replaces the earlier one.
INSERT INTO machine_charges (token, category, hour, micros) VALUES (:token, :category, :hour, :micros)
ON CONFLICT (token, category, hour) DO UPDATE SET micros = excluded.micros;

-- name: charges
-- Every hourly total of one machine.
SELECT category, hour, micros FROM machine_charges WHERE token = :token ORDER BY hour, category;

-- name: spent_by_hour
-- What all machines cost, by hour.
SELECT hour, SUM(micros) AS micros FROM machine_charges WHERE hour BETWEEN :first AND :last GROUP BY hour;

-- name: spent_by_machine
-- What each open machine has cost so far.
SELECT machines.token AS token, SUM(machine_charges.micros) AS micros
FROM machines JOIN machine_charges ON machine_charges.token = machines.token
WHERE machines.closed_at IS NULL GROUP BY machines.token;

-- name: spent_by_batch
-- What one batch has cost so far, on open and closed machines.
SELECT SUM(machine_charges.micros) AS micros
FROM machines JOIN machine_charges ON machine_charges.token = machines.token
WHERE machines.batch = :batch;

-- name: paid_rows
-- Every machine that was charged in those hours or is open, in the order they were planned.
SELECT * FROM machines WHERE token IN (
  SELECT token FROM machines WHERE closed_at IS NULL
  UNION SELECT token FROM machine_charges WHERE hour BETWEEN :first AND :last
) ORDER BY number;

-- name: paid_charges
-- Every total of those hours.
SELECT token, category, hour, micros FROM machine_charges WHERE hour BETWEEN :first AND :last
ORDER BY token, hour, category;

-- name: paid_events
-- The whole life of each of those machines.
SELECT token, version, at, epoch, event, state, reason FROM machine_events
WHERE token IN (
  SELECT token FROM machines WHERE closed_at IS NULL
  UNION SELECT token FROM machine_charges WHERE hour BETWEEN :first AND :last
) ORDER BY token, version;

-- name: note_host
-- Remember what a host did; the same note twice counts once.
INSERT INTO machine_hosts (provider, machine_id, host_id, reason, ok, at, token)
VALUES (:provider, :machine_id, :host_id, :reason, :ok, :at, :token)
ON CONFLICT DO NOTHING;

-- name: host_notes
-- What hosts did since then, oldest first.
SELECT provider, machine_id, host_id, reason, ok, at, token FROM machine_hosts WHERE at >= :since ORDER BY at, number;

-- name: key
-- How a machine is logged in to.
SELECT private, host_key FROM machine_keys WHERE token = :token;

-- name: keep_key
-- Keep it, before the machine is rented.
INSERT INTO machine_keys (token, private, host_key) VALUES (:token, :private, :host_key);

-- name: pin
-- What the machine is known by, once it was seen.
UPDATE machine_keys SET host_key = :host_key WHERE token = :token;

-- name: forget_key
-- The machine is gone.
DELETE FROM machine_keys WHERE token = :token;
