"""Programs as a bundle of wheels that a bare machine installs without an index; what it is asked first."""

from __future__ import annotations

from lib.bundle.image import IMAGE_FOLDER, image_script, is_as_pinned, programs_wanted, python_beside
from lib.bundle.machine_facts import MachineFacts, Python, probe_script, read_facts
from lib.bundle.make import Bundle, BundleMaker, joined_requirements, requirements_text
from lib.bundle.target import Target, target_of

__all__ = [
    "IMAGE_FOLDER",
    "Bundle",
    "BundleMaker",
    "MachineFacts",
    "Python",
    "Target",
    "image_script",
    "is_as_pinned",
    "joined_requirements",
    "probe_script",
    "programs_wanted",
    "python_beside",
    "read_facts",
    "requirements_text",
    "target_of",
]
