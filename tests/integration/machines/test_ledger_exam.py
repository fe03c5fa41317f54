"""A ledger that is only looked at, in both databases (W1): what is not there is not made."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from lib.errors import BadConfiguration
from lib.machines.ledger_exam import examine_ledger, has_ledger
from lib.sql import open_database
from tests.integration.machines.conftest import Place


def test_a_ledger_is_there_once_somebody_opened_it_and_looking_makes_none(place: Place) -> None:
    assert not has_ledger(place.url, schema=place.schema)
    assert not has_ledger(place.url, schema=place.schema)
    place.open()

    assert has_ledger(place.url, schema=place.schema)
    examine_ledger(place.url, schema=place.schema)


def test_one_of_a_newer_version_is_refused_in_both(place: Place) -> None:
    place.open()
    database = open_database(place.url, schema=place.schema)
    database.write(lambda one: one.execute(text("UPDATE machines_version SET version_num = '9999'")))
    database.close()

    with pytest.raises(BadConfiguration, match="is of version 9999"):
        examine_ledger(place.url, schema=place.schema)
