"""A compiled job file: a folder with each job's text and `manifest.json`, the same bytes everywhere.

`compile_manifest` makes it, `load_manifest` reads it with suspicion, `Order` turns one job into the command
line and the spool file that speak it, `results` knows what is done. The format is docs/reference/manifest.md.
"""

from __future__ import annotations

from lib.manifest.compiler import Compiled, compile_manifest, finish_interrupted_compile
from lib.manifest.folder import OutFolder
from lib.manifest.inputs import Inputs, check_inputs
from lib.manifest.manifest_json import MANIFEST, InvalidManifest, Manifest, load_manifest, manifest_bytes
from lib.manifest.obsolete_files import outputs_of_no_job, owners_of
from lib.manifest.order import Order
from lib.manifest.results import Finished, complete_captions, deliver, finished_result
from lib.manifest.texts import check_texts

__all__ = [
    "MANIFEST",
    "Compiled",
    "Finished",
    "Inputs",
    "InvalidManifest",
    "Manifest",
    "Order",
    "OutFolder",
    "check_inputs",
    "check_texts",
    "compile_manifest",
    "complete_captions",
    "deliver",
    "finish_interrupted_compile",
    "finished_result",
    "load_manifest",
    "manifest_bytes",
    "outputs_of_no_job",
    "owners_of",
]
