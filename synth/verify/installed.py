"""The verifier that this installation has, and which takes are worth its hearing."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from lib.errors import BadConfiguration, MissingExtra
from lib.voices import engine_facts
from synth.verify.hosted_recognizer import HostedRecognizer, is_installed, model_of_package
from synth.verify.listener import ListeningVerifier
from synth.verify.port import Sent

#: Profiles whose takes are not heard where hearing costs more than speaking.
_NOT_WORTH_IT: Final = frozenset({"fast", "balanced"})


def installed_verifier(model: Path | None, *, always: bool = False) -> ListeningVerifier | None:
    """The recogniser with `model`, None being the one that its packages bring; loads nothing yet.

    None where it is not installed, or nothing brings a model. `always` hears every take.

    Raises:
        MissingExtra: `always`, and there is no recogniser.
        BadConfiguration: `model` is no folder with a model.
    """
    if model is not None and not (model / "model.bin").is_file():
        raise BadConfiguration(
            f"VERIFY_MODEL is {model}, which holds no model.bin; let it be the folder of a model of Whisper "
            "in the format of CTranslate2."
        )
    folder = model or model_of_package()
    if folder is None or not is_installed():
        if always:
            raise MissingExtra("Hearing takes (VERIFY is always)", "verify")
        return None
    recognizer = HostedRecognizer(folder)
    return ListeningVerifier(recognizer) if always else ListeningVerifier(recognizer, reason_not_to)


def reason_not_to(sent: Sent) -> str | None:
    """Why a take is not worth hearing, where VERIFY is auto; None: it is."""
    if not sent.engine or sent.profile not in _NOT_WORTH_IT or not engine_facts(sent.engine).outpaces_hearing:
        return None
    return (
        f"The engine {sent.engine} costs less than a recogniser, so takes of the profile {sent.profile} are "
        "not compared with the text; those of quality are, and with VERIFY=always all."
    )
