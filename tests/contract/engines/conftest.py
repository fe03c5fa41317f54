"""Each engine passes the suite where its packages are: those of qwen3 have an environment of their own."""

from __future__ import annotations

from importlib.util import find_spec

from synth.engines.qwen3.package import import_package

if find_spec("qwen_tts"):
    import_package("qwen3")  # as the engine does, before a test imports it
    collect_ignore_glob = []
else:
    collect_ignore_glob = ["test_qwen3*.py"]
