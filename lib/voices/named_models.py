"""Which of an engine's models a setting names, so that a job for another one is refused before its turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lib.voices.facts import EngineFacts
from lib.voices.hub_ids import hub_ids
from lib.voices.voice_kind import VoiceKind

_CONFIG = "config.json"  # in the folder of a model
_CALLED = {
    VoiceKind.BUILT_IN: "a speaker",
    VoiceKind.CLONED: "a cloned voice",
    VoiceKind.DESIGNED: "a designed voice",
}


@dataclass(frozen=True, slots=True)
class NamedModels:
    """The models that `setting` names, as `written` there: no other one can be loaded."""

    setting: str
    written: str
    names: frozenset[str]

    def refusal(self, facts: EngineFacts, profile: str, kind: VoiceKind) -> str | None:
        """Why a job of that profile cannot be spoken, as a sentence without its full stop; None: it can."""
        wanted = facts.model_of(profile, kind)
        if not wanted or wanted in self.names:
            return None
        able = sorted(each for each in facts.models if facts.model_of(each, kind) in self.names)
        other = f", or take the profile {' or '.join(able)}" if able else ""
        return (
            f"{profile} of {_CALLED[kind]} needs the model {wanted}, and {self.setting} names "
            f"{', '.join(sorted(self.names)) or f'none in {self.written}'}: add it there{other}"
        )


#: Tells what is named for an engine; None: that cannot be told here.
NamedFor = Callable[[EngineFacts], NamedModels | None]


def named_by(settings: object, *, here: bool) -> NamedFor:
    """What `settings` name for each engine, by the settings' own names; the rest as `named_models`."""

    def named(facts: EngineFacts) -> NamedModels | None:
        setting = facts.weights_setting
        written = getattr(settings, setting.lower(), None) if setting else None
        return named_models(facts, written, here=here)

    return named


def named_models(facts: EngineFacts, written: str | None, *, here: bool) -> NamedModels | None:
    """What `written` names in the setting of the engine's weights; None where that cannot be told.

    A folder is looked into where jobs are spoken `here`; what lies in one on other machines, they know.

    Raises:
        BadConfiguration: a hub id has no commit.
    """
    if not facts.weights_setting or not written:
        return None
    folder = Path(written).expanduser()
    if here and folder.is_dir():
        inside = frozenset(name for name in facts.model_names if (folder / name).is_dir())
        if not inside and (folder / _CONFIG).is_file():  # it is that of one model, whatever it is called
            return None
        return NamedModels(facts.weights_setting, written, inside)
    ids = hub_ids(written, facts.model_names, facts.weights_setting)
    return NamedModels(facts.weights_setting, written, frozenset(ids)) if ids else None
