"""What to do where no connection comes about: that depends on whose machine it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ConnectionAdvice:
    """The ends of sentences. {port}, {login}, {key}, {known_as} and {known} stand for what they say.

    `unusable_key` None: what is wrong with the key file says itself what to do.
    """

    not_let_in: str
    unknown_name: str
    refused: str
    silent: str
    changed: str
    unusable_key: str | None = None


#: A machine of the user's: a person can go there, and its address and key are settings.
FOR_OWN_MACHINES: Final = ConnectionAdvice(
    not_let_in=(
        "put its public half there with ssh-copy-id -i {key}.pub -p {port} {login}, or set SSH_KEY_FILE."
    ),
    unknown_name="look at SSH_MACHINES and at this machine's DNS.",
    refused="start its SSH server, or correct the port in SSH_MACHINES.",
    silent="is it on, and does its firewall let port {port} through?",
    changed=(
        "If the machine was set up anew, accept it with ssh-keygen -R '{known_as}' -f {known}; if not, "
        "somebody stands between."
    ),
)

#: A rented one: nobody can go there, and no setting names it. What it does not do in time, another will.
FOR_RENTED_MACHINES: Final = ConnectionAdvice(
    not_let_in="it is tried again, and a machine that does not take its key in time is given back.",
    unknown_name="look at this machine's DNS; it is tried again.",
    refused="it is tried again, and a machine that stays so is given back.",
    silent="it is tried again; if it is so with every machine, does the firewall here let port {port} out?",
    changed="A rented machine keeps its key while it lives: somebody stands between, and it is given back.",
    unusable_key="Remove it and start the watcher again: it is written anew from the ledger.",
)
