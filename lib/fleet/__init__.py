"""Decides what to rent, when and for how long; pure functions without input or output.

Callers observe, ask here, write the answer down and act. Time, randomness and measurements are passed in.
"""

from __future__ import annotations

from lib.fleet.batch_price import Price, price_batch
from lib.fleet.lifecycle import PAYING, TRANSITIONS, IllegalMachineTransition, MachineEvent, State, advance
from lib.fleet.limits import Obstacle, obstacles
from lib.fleet.model import Caps, Demand, Host, Machine, Policy, Seen
from lib.fleet.offer_choice import Score, best, ranked
from lib.fleet.policy_settings import RentalTerms, caps_of, policy_of
from lib.fleet.speeds import Speeds
from lib.fleet.verdicts import MachineVerdict, blind, verdict
from lib.offer import Offer

__all__ = [
    "PAYING",
    "TRANSITIONS",
    "Caps",
    "Demand",
    "Host",
    "IllegalMachineTransition",
    "Machine",
    "MachineEvent",
    "MachineVerdict",
    "Obstacle",
    "Offer",
    "Policy",
    "Price",
    "RentalTerms",
    "Score",
    "Seen",
    "Speeds",
    "State",
    "advance",
    "best",
    "blind",
    "caps_of",
    "obstacles",
    "policy_of",
    "price_batch",
    "ranked",
    "verdict",
]
