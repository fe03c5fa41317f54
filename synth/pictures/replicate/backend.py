"""Draws over the HTTP API of Replicate: order, wait, fetch; cancelled where nobody waits any longer.

A lost reply may be that of an order which was taken, and costs money. So the account's list is looked at
before anything is ordered, and before the same is ordered again: what a process ordered that died before it
got its answer is found, too. What that cannot see: an order that the list shows only later than all looks,
and one of more than a quarter of an hour ago.
"""

from __future__ import annotations

import contextlib
import random
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from lib.backoff import backoff_s
from lib.clock import Clock, SystemClock
from lib.errors import BadConfiguration
from lib.png import MOST_BYTES, NotPng, check_png
from synth.pictures.backend import (
    BackendUnavailable,
    BadOrder,
    PaidInVain,
    Picture,
    PictureOrder,
    check_order,
)
from synth.pictures.fit import fitted
from synth.pictures.replicate.client import HttpAnswer, Lost, NotSent, ReplicateClient, TooLarge
from synth.pictures.replicate.prediction import NoPrediction, Prediction, read_prediction
from synth.pictures.replicate.refusals import is_busy, refusal, seen_text

_MODEL: Final = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
_TRIES: Final = 5
_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 30.0
_HOLD_S: Final = 60  # the longest that the server holds an answer back
_LEAST_LIFE_S: Final = 5  # of a prediction that is to be cancelled by the server itself
_POLL_S, _LONGEST_POLL_S = 0.5, 3.0
_LOOKS: Final = 3
#: An order of the list is taken for ours when it is no older: clocks differ, and replies take a while.
_RECENT_S: Final = 900.0
_WITHIN_S: Final = 300.0
_MOST_PIXELS: Final = 2**26

#: What the models of `size = "aspect"` draw, by the words that they know.
_ASPECTS: Final = {
    name: int(name.partition(":")[0]) / int(name.partition(":")[2])
    for name in ("1:1", "16:9", "21:9", "3:2", "2:3", "4:5", "5:4", "3:4", "4:3", "9:16", "9:21")
}
_SMALL_PIXELS: Final = 300_000  # up to here a quarter of a megapixel is drawn


class ReplicateBackend:
    """One model at Replicate.

    Options: `model` (owner/name), `size` ("aspect" for models that take a ratio, "pixels" for those that take
    width and height), `steps`, `guidance`, `usd_per_picture`, `within_s` for the whole of one picture.
    """

    def __init__(
        self,
        name: str,
        options: Mapping[str, Any],
        clock: Clock | None = None,
        jitter: Callable[[], float] = random.random,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        """Nothing is asked yet. `options` has `url` and `token` of the settings, too."""
        self._most_bytes = most_bytes  # of a file
        self.name = name
        self.model = str(options.get("model", ""))
        self._options = options
        self._clock, self._jitter = clock or SystemClock(), jitter
        self._client = ReplicateClient(str(options["url"]), str(options["token"]))
        self._within_s = float(options.get("within_s", _WITHIN_S))
        self._taken: set[str] = set()  # predictions whose picture was returned already

    def draw(self, order: PictureOrder) -> Picture:
        """Order one picture and wait for it; see PictureBackend."""
        check_order(order)
        self._check_told()
        began = self._clock.monotonic()
        deadline = began + self._within_s
        told = self._input(order)
        try:
            made = self._stands_already(told) or self._create(told, deadline)
        except KeyboardInterrupt:
            self._cancel_unknown(told)
            raise
        try:
            made = self._finished(made, deadline)
        except BaseException:  # Ctrl-C, too: nobody waits for it, and it would cost
            self._cancel(made)
            raise
        png = self._picture(made, order)
        self._taken.add(made.id)
        seconds = self._clock.monotonic() - began
        cost = self._options.get("usd_per_picture")
        return Picture(png, order.width, order.height, order.seed, self.name, self.model, seconds, cost)

    def close(self) -> None:
        """No connection is kept."""

    def _check_told(self) -> None:
        if not self._options["token"]:
            raise BadConfiguration(
                f"The picture backend {self.name} needs a token of your account at Replicate; "
                "set it as REPLICATE_API_TOKEN."
            )
        if not _MODEL.fullmatch(self.model):
            raise BadConfiguration(
                f"The picture backend {self.name} names the model {self.model[:100]!r}; "
                "it must look like owner/name."
            )
        if self._options.get("size", "aspect") not in ("aspect", "pixels"):
            raise BadConfiguration(f"The size of the picture backend {self.name} must be aspect or pixels.")

    def _input(self, order: PictureOrder) -> dict[str, Any]:
        told: dict[str, Any] = {"prompt": order.prompt, "seed": order.seed, "output_format": "png"}
        if self._options.get("size", "aspect") == "pixels":
            told |= {"width": order.width, "height": order.height}
        else:
            ratio = order.width / order.height
            told["aspect_ratio"] = min(
                _ASPECTS, key=lambda name: abs(_ASPECTS[name] / ratio - ratio / _ASPECTS[name])
            )
            told["megapixels"] = "0.25" if order.width * order.height <= _SMALL_PIXELS else "1"
            told["num_outputs"] = 1
            told["go_fast"] = False  # with it, a seed draws something else each time
        if "steps" in self._options:
            told["num_inference_steps"] = self._options["steps"]
        if "guidance" in self._options:
            told["guidance"] = self._options["guidance"]
        return told

    # --- the order ---------------------------------------------------------------------------------

    def _stands_already(self, told: Mapping[str, Any]) -> Prediction | None:
        """The same order, of somebody who got no picture of it: killed, or it could not be fetched.

        One look: without the list there is no sign of any, and most orders are the first.
        """
        with contextlib.suppress(NotSent, Lost, ValueError):
            return next((made for made in self._listed() if self._is_ours(made, told)), None)
        return None

    def _create(self, told: Mapping[str, Any], deadline: float) -> Prediction:
        problem = ""
        for tries in range(1, _TRIES + 1):
            left = deadline - self._clock.monotonic()
            if left <= 0:
                break
            try:
                answer = self._post(told, left)
                if 200 <= answer.status < 300:
                    return read_prediction(answer.json())
                if not is_busy(answer.status):
                    raise refusal(answer, self.model, self._client.token)
                problem, unsure = f"it answered {answer.status}", answer.status not in (429, 503)
            except NotSent as error:
                answer, problem, unsure = None, str(error), False
            except Lost as error:
                answer, problem, unsure = None, str(error), True
            except ValueError:  # NoPrediction, or no JSON: it was taken, and only its id is not known
                answer, problem, unsure = None, "its answer is no prediction", True
            if unsure and (found := self._looked_up(told, problem)):
                return found
            self._pause(tries, answer, deadline)
        raise BackendUnavailable(
            f"Replicate takes no orders: {problem or 'no time was left'}; try again later."
        )

    def _post(self, told: Mapping[str, Any], left: float) -> HttpAnswer:
        hold = max(1, min(_HOLD_S, int(left)))
        headers = {"Prefer": f"wait={hold}", "Cancel-After": f"{max(_LEAST_LIFE_S, int(left) + 1)}s"}
        path = f"/v1/models/{self.model}/predictions"
        return self._client.ask("POST", path, {"input": told}, headers, wait_s=hold)

    def _looked_up(self, told: Mapping[str, Any], problem: str) -> Prediction | None:
        """The order whose reply was lost, found in the account's list; None: it is not there, so ask again.

        Raises:
            PaidInVain: the list cannot be had either. Who orders again then might pay twice.
        """
        was_seen = False
        for look in range(1, _LOOKS + 1):
            self._clock.sleep(_PAUSE_S * look)
            with contextlib.suppress(NotSent, Lost, ValueError):
                rows = self._listed()
                was_seen = True
                found = next((made for made in rows if self._is_ours(made, told)), None)
                if found is not None:
                    return found
        if not was_seen:
            raise PaidInVain(
                f"Replicate did not say whether it took the order ({problem}), and its list cannot be had; "
                "it is not ordered again, for it might be paid for twice. Try again later."
            )
        return None

    def _is_ours(self, made: Prediction, told: Mapping[str, Any]) -> bool:
        return (
            made.model == self.model
            and made.id not in self._taken
            and made.status not in ("failed", "canceled", "aborted")
            and made.made_at is not None
            and abs(self._clock.now() - made.made_at) <= _RECENT_S
            and all(made.told.get(key) == value for key, value in told.items())
        )

    # --- the wait ----------------------------------------------------------------------------------

    def _finished(self, made: Prediction, deadline: float) -> Prediction:
        polls, problem = 0, ""
        while not made.ended:
            polls += 1
            pause = min(_LONGEST_POLL_S, _POLL_S * polls)
            if self._clock.monotonic() + pause > deadline:
                raise BackendUnavailable(
                    f"Replicate did not finish the picture within {self._within_s:g} s"
                    f"{f' ({problem})' if problem else ''} and was told to cancel it; try again later."
                )
            self._clock.sleep(pause)
            try:
                answer = self._client.ask("GET", f"/v1/predictions/{made.id}")
                if answer.status == 200:
                    made = read_prediction(answer.json())
                elif is_busy(answer.status):
                    problem = f"it answered {answer.status}"
                else:
                    raise refusal(answer, self.model, self._client.token)
            except (NotSent, Lost) as error:
                problem = str(error)
            except ValueError:
                problem = "its answer is no prediction"
        if made.status == "succeeded":
            return made
        said = seen_text(made.error, self._client.token)
        if "nsfw" in said.lower():
            raise BadOrder(f"Replicate drew nothing: its safety checker refuses the picture ({said}).")
        raise BackendUnavailable(
            f"Replicate drew nothing: the prediction {made.id} {made.status} ({said or 'no reason given'})."
        )

    def _cancel_unknown(self, told: Mapping[str, Any]) -> None:
        """Cancel an order whose reply nobody waited for. The server ends it too, after `Cancel-After`."""
        with contextlib.suppress(NotSent, Lost, ValueError, BadConfiguration):
            for made in self._listed():
                if self._is_ours(made, told) and not made.ended:
                    self._cancel(made)

    def _listed(self) -> list[Prediction]:
        """The account's latest. Raises NotSent, Lost, ValueError: there is no list."""
        answer = self._client.ask("GET", "/v1/predictions")
        if answer.status != 200:
            raise Lost(f"it answered {answer.status}")
        value = answer.json()
        rows = value.get("results") if isinstance(value, dict) else None
        if not isinstance(rows, list):
            raise NoPrediction
        return [read_prediction(row) for row in rows]

    def _cancel(self, made: Prediction) -> None:
        with contextlib.suppress(NotSent, Lost, BadConfiguration):
            self._client.ask("POST", f"/v1/predictions/{made.id}/cancel")

    # --- the picture -------------------------------------------------------------------------------

    def _picture(self, made: Prediction, order: PictureOrder) -> bytes:
        """Fetch what was paid for, with more patience than anything else. Raises PaidInVain."""
        cost = self._options.get("usd_per_picture")
        where = f"Replicate drew the picture (prediction {made.id}), but"
        if made.picture is None:
            raise PaidInVain(f"{where} named no file.", cost)
        try:
            png = self._fetched(made.picture)
            width, height = check_png(png)
            if width * height > _MOST_PIXELS:
                raise NotPng(f"has {width} x {height} pixels")
        except NotPng as error:
            raise PaidInVain(f"{where} it {error}.", cost) from None
        except (ValueError, TooLarge, NotSent, Lost) as error:
            raise PaidInVain(f"{where} it cannot be fetched: {error}.", cost) from None
        return (
            png if (width, height) == (order.width, order.height) else fitted(png, order.width, order.height)
        )

    def _fetched(self, url: str) -> bytes:
        deadline = self._clock.monotonic() + self._within_s
        for tries in range(1, _TRIES + 1):
            answer = None
            try:
                answer = self._client.fetch(url, self._most_bytes)
                if answer.status == 200:
                    return answer.data
                problem: Exception = Lost(f"its server answered {answer.status}")
                if not is_busy(answer.status):
                    break
            except (NotSent, Lost) as error:
                problem = error
            self._pause(tries, answer, deadline)
        raise problem

    def _pause(self, tries: int, answer: HttpAnswer | None, deadline: float) -> None:
        """Wait before the next try: as long as the server asks for, else longer each time."""
        asked = None if answer is None else answer.retry_after_s
        drawn = backoff_s(tries, self._jitter(), base_s=_PAUSE_S, cap_s=_LONGEST_PAUSE_S)
        left = max(0.0, deadline - self._clock.monotonic())
        self._clock.sleep(min(left, max(drawn, asked or 0.0)))
