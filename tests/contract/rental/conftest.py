"""The companies that the suite runs on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.rental.companies import RentalCompany, SimulatedCompany, vast_company


@pytest.fixture(params=["simulated", "vast"])
def company(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[RentalCompany]:
    if request.param == "simulated":
        yield SimulatedCompany()
        return
    fake, found = vast_company(monkeypatch, tmp_path)
    with fake:
        yield found
