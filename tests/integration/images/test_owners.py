"""Nobody sees another owner's rows: as roles like Supabase's, and on plain Postgres with a setting."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest

from lib.errors import BadConfiguration
from lib.picture_tables import init_tables, open_images
from tests.integration.images.conftest import ANN, BOB, MakeRole, Shelf

_AUTH = """
CREATE SCHEMA auth;
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS $$
  SELECT (nullif(current_setting('request.jwt.claims', true), '')::json ->> 'sub')::uuid
$$;
GRANT USAGE ON SCHEMA auth TO authenticated, service_role, anon;
"""


@pytest.fixture
def supabase(bare: Shelf, role: MakeRole) -> Shelf:
    """A database with the roles and the function of a Supabase project."""
    for name, words in (
        ("anon", "NOLOGIN"),
        ("authenticated", "NOLOGIN"),
        ("service_role", "NOLOGIN BYPASSRLS"),
        ("authenticator", "LOGIN NOINHERIT"),
    ):
        role(name, words)
    bare.execute("GRANT anon, authenticated, service_role TO authenticator")
    bare.execute(_AUTH)
    init_tables(bare.url())
    return bare


def asked(shelf: Shelf, role: str, owner: str | None, statement: str) -> list[tuple[Any, ...]]:
    """As the API of Supabase asks: it logs in as one role, becomes another and says who the user is."""
    with shelf.connect("authenticator") as connection:
        connection.execute(f"SET ROLE {role}".encode())
        claims = json.dumps({"sub": owner} if owner else {})
        connection.execute("SELECT set_config('request.jwt.claims', %s, false)", (claims,))
        found = connection.execute(statement.encode())
        return found.fetchall() if found.description else []


def picture_of(shelf: Shelf, owner: str) -> None:
    shelf.execute(
        "INSERT INTO imagen.images (owner_user_id, prompt, backend, seed, width, height,"
        " bucket, storage_path, sha256) VALUES (%s, 'x', 'mock', 1, 64, 64, 'b', 'p', 's')",
        owner,
    )


class TestAsSupabase:
    def test_a_user_sees_their_own_rows_and_pictures_alone(self, supabase: Shelf) -> None:
        anns, _ = supabase.order(owner=ANN), supabase.order(owner=BOB)
        picture_of(supabase, ANN)
        picture_of(supabase, BOB)

        assert asked(supabase, "authenticated", ANN, "SELECT id::text FROM imagen.jobs") == [(anns,)]
        seen = asked(supabase, "authenticated", ANN, "SELECT owner_user_id::text FROM imagen.images")
        assert seen == [(ANN,)]
        assert asked(supabase, "authenticated", None, "SELECT 1 FROM imagen.jobs") == []

    def test_a_user_asks_for_pictures_of_their_own(self, supabase: Shelf) -> None:
        insert = "INSERT INTO imagen.jobs ({}prompt, backend, width, height) VALUES ({}'x', 'mock', 64, 64)"
        asked(supabase, "authenticated", ANN, insert.format("", ""))
        asked(supabase, "authenticated", ANN, insert.format("owner_user_id, ", f"'{ANN}', "))

        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            asked(supabase, "authenticated", ANN, insert.format("owner_user_id, ", f"'{BOB}', "))

        assert supabase.execute("SELECT owner_user_id::text FROM imagen.jobs") == [(ANN,), (ANN,)]

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE imagen.jobs SET prompt = 'y'",
            "DELETE FROM imagen.jobs",
            "INSERT INTO imagen.jobs (prompt, backend, width, height, attempts) VALUES ('', '', 1, 1, 9)",
            "DELETE FROM imagen.images",
            "SELECT * FROM imagen.images_version",
        ],
    )
    def test_a_user_writes_nothing_of_how_it_went(self, supabase: Shelf, statement: str) -> None:
        supabase.order(owner=ANN)

        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"):
            asked(supabase, "authenticated", ANN, statement)

    def test_the_service_sees_all(self, supabase: Shelf) -> None:
        supabase.order(owner=ANN)
        supabase.order(owner=BOB)

        (count,) = asked(supabase, "service_role", None, "SELECT count(*) FROM imagen.jobs")

        assert count == (2,)

    def test_whoever_is_not_signed_in_has_no_rights(self, supabase: Shelf) -> None:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="schema imagen"):
            asked(supabase, "anon", None, "SELECT 1 FROM imagen.jobs")

    def test_the_setting_of_plain_postgres_opens_nothing(self, supabase: Shelf) -> None:
        supabase.order(owner=BOB)
        with supabase.connect("authenticator") as connection:
            connection.execute("SET ROLE authenticated")
            connection.execute(f"SET imagen.owner = '{BOB}'".encode())

            assert connection.execute("SELECT 1 FROM imagen.jobs").fetchall() == []


class TestOnPlainPostgres:
    @pytest.fixture
    def plain(self, bare: Shelf, role: MakeRole) -> Shelf:
        """The tables belong to a user without privileges, as in a database of one's own."""
        role("keeper", "LOGIN")
        bare.execute(f'GRANT CREATE ON DATABASE "{bare.database}" TO keeper')
        init_tables(bare.url("keeper"))
        return bare

    def seen(self, shelf: Shelf, owner: str | None) -> list[str]:
        with shelf.connect("keeper") as connection:
            if owner is not None:
                connection.execute("SELECT set_config('imagen.owner', %s, false)", (owner,))
            rows = connection.execute("SELECT id::text FROM imagen.jobs").fetchall()
        return [row[0] for row in rows]

    def test_the_owner_of_the_tables_is_no_exception(self, plain: Shelf) -> None:
        anns, bobs = plain.order(owner=ANN), plain.order(owner=BOB)

        assert self.seen(plain, ANN) == [anns]
        assert self.seen(plain, BOB.upper()) == [bobs]

    @pytest.mark.parametrize("owner", [None, "", "everybody", "' OR true --"])
    def test_a_setting_that_names_nobody_shows_nothing(self, plain: Shelf, owner: str | None) -> None:
        plain.order(owner=ANN)
        plain.order(owner=None)

        assert self.seen(plain, owner) == []

    def test_what_auth_says_counts_from_when_it_is_there(self, plain: Shelf) -> None:
        anns, bobs = plain.order(owner=ANN), plain.order(owner=BOB)
        assert self.seen(plain, BOB) == [bobs]

        plain.execute("CREATE SCHEMA auth")
        plain.execute(f"CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql AS $$ SELECT '{ANN}'::uuid $$")
        plain.execute("GRANT USAGE ON SCHEMA auth TO keeper")

        assert self.seen(plain, BOB) == [anns]

    def test_where_auth_is_out_of_reach_the_setting_does_not_stand_in_for_it(self, plain: Shelf) -> None:
        plain.order(owner=BOB)
        plain.execute("CREATE SCHEMA auth")
        plain.execute(f"CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql AS $$ SELECT '{ANN}'::uuid $$")

        assert self.seen(plain, BOB) == []

    def test_a_worker_that_would_see_nothing_is_told_so(self, plain: Shelf, role: MakeRole) -> None:
        with pytest.raises(BadConfiguration, match="GRANT imagen_worker TO that user"):
            plain.tables("keeper")

        role("imagen_worker", "NOLOGIN")
        role("drawer", "LOGIN IN ROLE imagen_worker")
        init_tables(plain.url("keeper"))
        plain.order(owner=ANN)
        job = plain.tables("drawer").claim("w", 60)

        assert job is not None
        assert job.owner == ANN


class TestTheSchema:
    def test_has_two_indexes_on_jobs_beside_its_key(self, shelf: Shelf) -> None:
        found = shelf.execute(
            "SELECT indexname FROM pg_indexes WHERE schemaname = 'imagen' AND tablename = 'jobs'"
        )

        assert {name for (name,) in found} == {"jobs_pkey", "jobs_open", "jobs_of_owner"}

    def test_knows_four_states(self, shelf: Shelf) -> None:
        for state in ("pending", "running", "done", "failed"):
            shelf.order(status=state)
        with pytest.raises(psycopg.errors.CheckViolation):
            shelf.order(status="finished")

    def test_says_each_new_row(self, shelf: Shelf) -> None:
        with shelf.connect() as connection:
            connection.execute("LISTEN imagen_jobs")
            id = shelf.order()
            (note,) = connection.notifies(timeout=60, stop_after=1)

        assert note.payload == id

    def test_is_named_when_it_is_missing(self, bare: Shelf) -> None:
        with pytest.raises(
            BadConfiguration, match="has no tables of pictures; make them with: image-synth init-db"
        ):
            bare.tables()

    def test_of_another_version_is_not_used(self, shelf: Shelf) -> None:
        shelf.execute("UPDATE imagen.images_version SET version_num = '9999'")

        with pytest.raises(BadConfiguration, match="of version 9999, and this program knows 0001"):
            shelf.tables()

    def test_is_no_matter_of_sqlite(self) -> None:
        for ask in (init_tables, open_images):
            with pytest.raises(BadConfiguration, match="is an SQLite file"):
                ask("sqlite:////nowhere/pictures.db")
