"""What `doctor` says of picture backends, by settings alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.jobs.doctor_probes import Home, bad_backends
from lib.picture_backends.names import PictureSettings


@pytest.mark.parametrize(
    ("backend", "own", "words"),
    [
        ("card", "", []),
        ("flux-dev-replicate", "", ["REPLICATE_API_TOKEN"]),
        ("flux-schnell-local", "", ["FLUX_MODEL"]),
        ("oil", "", ["there are: card"]),
        ("card", "[oil]\nclass = 'oil'\n", ["class must be one of"]),
    ],
)
def test_the_usual_backend_is_looked_at(tmp_path: Path, backend: str, own: str, words: list[str]) -> None:
    file = tmp_path / "own.toml"
    file.write_text(own)
    home = Home(
        *(tmp_path, "file:///store", "hibari", "local", True),
        backends=PictureSettings(backends_file=file),
        usual_backend=backend,
    )

    found = bad_backends(home)

    assert [trouble.subject for trouble in found] == [backend] * len(words)
    assert all(word in trouble.sentence for word, trouble in zip(words, found, strict=True))


def test_what_machines_are_to_draw_with_is_looked_at_where_there_are_machines(tmp_path: Path) -> None:
    machines = ("mock", "flux-dev-replicate")
    local = Home(tmp_path, "file:///store", "hibari", "local", True, machine_backends=machines)
    rented = Home(tmp_path, "file:///store", "hibari", "vast", True, machine_backends=machines)

    assert bad_backends(local) == []
    (trouble,) = bad_backends(rented)
    assert trouble.subject == "IMAGEN_MACHINE_BACKENDS"
    assert "no machine is given" in trouble.sentence
