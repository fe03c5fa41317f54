"""How tests load settings, and what they are told when that is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from lib.errors import BadConfiguration, ExitStatus
from lib.settings import Settings

Load = Callable[..., Settings]


def refusal(load: Load, environ: Mapping[str, str]) -> str:
    with pytest.raises(BadConfiguration) as caught:
        load(environ)
    assert caught.value.exit_status == ExitStatus.BAD_CONFIGURATION
    return str(caught.value)


def sentence_of(action: Callable[[], object]) -> str | None:
    """The sentence of a BadConfiguration, None when all is well; anything else is a crash."""
    try:
        action()
    except BadConfiguration as error:
        return str(error)
    return None
