"""What to rent, when, which and for how long: decisions without any input or output.

Callers observe, ask here, write the answer down and act. Time, randomness and measurements are passed in.
"""

from __future__ import annotations

from lib.fleet.lifecycle import PAYING, TRANSITIONS, Event, IllegalTransition, State, advance
from lib.fleet.limits import Obstacle, obstacles
from lib.fleet.model import Caps, Demand, Host, Machine, Policy, Seen
from lib.fleet.offers import Score, best, ranked
from lib.fleet.pricing import Price, price_batch
from lib.fleet.speeds import Speeds
from lib.fleet.tending import Verdict, blind, verdict
from lib.fleet.terms import RentalTerms, caps_of, policy_of
from lib.offer import Offer

__all__ = [
    "PAYING",
    "TRANSITIONS",
    "Caps",
    "Demand",
    "Event",
    "Host",
    "IllegalTransition",
    "Machine",
    "Obstacle",
    "Offer",
    "Policy",
    "Price",
    "RentalTerms",
    "Score",
    "Seen",
    "Speeds",
    "State",
    "Verdict",
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
