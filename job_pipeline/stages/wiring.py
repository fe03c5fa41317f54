"""From settings to what stages use: a language model and the store. Read where the work is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from job_pipeline.stages.language_model import LanguageModel
from lib.settings import Settings, load_settings

if TYPE_CHECKING:
    from lib.storage import Storage


def language_model() -> LanguageModel | None:
    """The model of LLM_BASE_URL; None where that is not set, and templates are used.

    Raises:
        BadConfiguration: a setting is wrong.
    """
    found = _settings()
    if not found.llm_base_url:
        return None
    key = found.llm_api_key.reveal() if found.llm_api_key is not None else ""
    return LanguageModel(found.llm_base_url, found.llm_model or "default", key)


def storage() -> Storage:
    """The store that STORAGE_URL names, where the audio of jobs lies.

    Raises:
        BadConfiguration: a setting is wrong.
    """
    from lib.storage import open_storage, s3_access_of

    found = _settings()
    return open_storage(found.storage_url, s3_access_of(found))


def chosen_storage() -> Storage | None:
    """The same where somebody chose it; None where the settings only have its default."""
    return None if _settings().sources["STORAGE_URL"] == "default" else storage()


def _settings() -> Settings:
    return load_settings({})
