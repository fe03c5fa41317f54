"""Which backends draw on machines elsewhere, from the settings."""

from __future__ import annotations

from lib.errors import BadConfiguration
from lib.picture_backends.machines import MachineBackends, RefuseBackend, machine_backends
from lib.picture_backends.names import PictureSettings
from lib.settings import Settings


def backends_in(settings: Settings) -> PictureSettings:
    """What the settings say about who draws pictures; of a token only that there is one."""
    return PictureSettings(
        backends_file=settings.imagen_backends_file,
        flux_model="" if settings.flux_model is None else str(settings.flux_model),
        flux_device=settings.flux_device,
        replicate_token="" if settings.replicate_api_token is None else "(hidden)",
    )


def pictures_on_machines(settings: Settings) -> MachineBackends:
    """The backends that draw on machines. Raises BadConfiguration: the setting names one that cannot."""
    found = machine_backends(settings.imagen_machine_backends, backends_in(settings))
    if "diffusers" in found.extras and settings.provider != "local" and not settings.ssh_voice_synth:
        raise BadConfiguration(
            f"{settings.origin('IMAGEN_MACHINE_BACKENDS')} names a model on a GPU. Its packages and weights "
            "are not brought to machines: set SSH_VOICE_SYNTH to a voice-synth there that was installed with "
            "job-runner[diffusers], and FLUX_MODEL to the folder of the weights there."
        )
    return found


def refuse_backend(settings: Settings) -> RefuseBackend:
    """Why machines cannot draw with a backend; on this computer every worker can. Raises BadConfiguration."""
    return _nothing if settings.provider == "local" else pictures_on_machines(settings).refusal


def _nothing(backend: str) -> None:
    return
