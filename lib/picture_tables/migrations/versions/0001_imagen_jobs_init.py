"""Pictures to be drawn and pictures that were (lib/picture_tables/tables.py), seen by their owners alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision: str | None = None


def upgrade() -> None:
    """Make them."""
    op.execute(_CURRENT_OWNER)
    _make_images()
    _make_jobs()
    for statement in (*_SECURITY, _NOTIFY, _TRIGGER, _GRANTS):
        op.execute(statement)
    op.execute("SELECT imagen.grant_to_known_roles()")


def _id() -> sa.Column[str]:
    return sa.Column(
        "id", postgresql.UUID(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False
    )


def _time(name: str, *, now: bool = False) -> sa.Column[object]:
    default = sa.text("now()") if now else None
    return sa.Column(name, postgresql.TIMESTAMP(timezone=True), server_default=default, nullable=not now)


def _make_images() -> None:
    op.create_table(
        "images",
        _id(),
        sa.Column("owner_user_id", postgresql.UUID(as_uuid=False), nullable=False),
        sa.Column("job_id", postgresql.UUID(as_uuid=False), nullable=True),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("backend", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), server_default="", nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("bucket", sa.Text(), nullable=False),
        sa.Column("storage_path", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("draw_seconds", sa.Double(), server_default="0", nullable=False),
        sa.Column("cost_usd", sa.Double(), nullable=True),
        _time("created_at", now=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("job_id", name="images_job"),
    )


def _make_jobs() -> None:
    op.create_table(
        "jobs",
        _id(),
        sa.Column(
            "owner_user_id",
            postgresql.UUID(as_uuid=False),
            server_default=sa.text("imagen.current_owner()"),
            nullable=True,
        ),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("backend", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("image_id", postgresql.UUID(as_uuid=False), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        _time("created_at", now=True),
        _time("available_at"),
        _time("started_at"),
        _time("drawn_at"),
        _time("finished_at"),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_no", sa.BigInteger(), server_default="0", nullable=False),
        _time("lease_expires_at"),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("drawn", postgresql.JSONB(), nullable=True),
        sa.CheckConstraint("status IN ('pending', 'running', 'done', 'failed')", name="jobs_status"),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id"),
    )
    # An id comes from whoever writes the row: once a row is gone, one with its id again must not find, and
    # take over, the picture that the first one led to.
    op.create_foreign_key("images_of_job", "images", "jobs", ["job_id"], ["id"], ondelete="SET NULL")
    waiting = sa.text("status IN ('pending','running')")
    op.create_index("jobs_open", "jobs", ["created_at", "id"], unique=False, postgresql_where=waiting)
    op.create_index("jobs_of_owner", "jobs", ["owner_user_id", "created_at"], unique=False)


# Asked when a row is looked at, not now: `auth` may come later, as with a project that moves to Supabase.
# Where it is there but out of reach, nobody is meant: a setting anybody may write must not stand in for it.
# An owner that is no UUID is nobody, rather than an error for whoever looks.
_CURRENT_OWNER = """
CREATE FUNCTION imagen.current_owner() RETURNS uuid LANGUAGE plpgsql STABLE SET search_path = '' AS $$
DECLARE
  said text;
BEGIN
  IF EXISTS (
    SELECT 1 FROM pg_catalog.pg_proc
    WHERE proname = 'uid' AND pronargs = 0 AND pronamespace = pg_catalog.to_regnamespace('auth')
  ) THEN
    IF NOT pg_catalog.has_schema_privilege('auth', 'USAGE') THEN
      RETURN NULL;
    END IF;
    EXECUTE 'SELECT CAST(auth.uid() AS text)' INTO said;
    RETURN CAST(said AS uuid);
  END IF;
  said := current_setting('imagen.owner', true);
  IF said ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN
    RETURN CAST(said AS uuid);
  END IF;
  RETURN NULL;
END
$$
"""

_SECURITY = (
    "REVOKE ALL ON imagen.jobs, imagen.images FROM PUBLIC",
    "ALTER TABLE imagen.jobs ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE imagen.jobs FORCE ROW LEVEL SECURITY",
    "ALTER TABLE imagen.images ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE imagen.images FORCE ROW LEVEL SECURITY",
    # In a subquery of its own the owner is asked for once for a statement, not for each row.
    """CREATE POLICY jobs_of_owner ON imagen.jobs
       USING (owner_user_id = (SELECT imagen.current_owner()))
       WITH CHECK (owner_user_id = (SELECT imagen.current_owner()))""",
    """CREATE POLICY images_of_owner ON imagen.images
       USING (owner_user_id = (SELECT imagen.current_owner()))
       WITH CHECK (owner_user_id = (SELECT imagen.current_owner()))""",
)

_NOTIFY = """
CREATE FUNCTION imagen.notify_job() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
  PERFORM pg_catalog.pg_notify('imagen_jobs', CAST(NEW.id AS text));
  RETURN NULL;
END
$$
"""

_TRIGGER = """
CREATE TRIGGER jobs_notify AFTER INSERT ON imagen.jobs FOR EACH ROW EXECUTE FUNCTION imagen.notify_job()
"""

# A function of the database, so that roles that are made later are given their rights by calling it again.
# Users write what they want drawn, and nothing of how it went; `anon` is given nothing.
_GRANTS = """
CREATE FUNCTION imagen.grant_to_known_roles() RETURNS void LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
  named text;
BEGIN
  IF EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = 'authenticated') THEN
    GRANT USAGE ON SCHEMA imagen TO authenticated;
    GRANT SELECT ON imagen.jobs, imagen.images TO authenticated;
    GRANT INSERT (id, owner_user_id, prompt, backend, width, height, seed) ON imagen.jobs TO authenticated;
  END IF;
  FOREACH named IN ARRAY ARRAY['service_role', 'imagen_worker'] LOOP
    IF EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = named) THEN
      EXECUTE pg_catalog.format('GRANT USAGE ON SCHEMA imagen TO %I', named);
      EXECUTE pg_catalog.format(
        'GRANT SELECT, INSERT, UPDATE, DELETE ON imagen.jobs, imagen.images TO %I', named);
      EXECUTE pg_catalog.format('GRANT SELECT ON imagen.images_version TO %I', named);
    END IF;
  END LOOP;
  IF EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = 'imagen_worker')
     AND NOT EXISTS (
       SELECT 1 FROM pg_catalog.pg_policies WHERE schemaname = 'imagen' AND policyname = 'jobs_of_worker'
     ) THEN
    CREATE POLICY jobs_of_worker ON imagen.jobs TO imagen_worker USING (true) WITH CHECK (true);
    CREATE POLICY images_of_worker ON imagen.images TO imagen_worker USING (true) WITH CHECK (true);
  END IF;
END
$$
"""
