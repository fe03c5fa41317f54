"""Numbers of this moment as a page for a scraper, each with labels of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lib.errors import MissingExtra

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric


@dataclass(frozen=True, slots=True)
class LabelledGauge:
    """A number for each combination of labels. The name's last word is its unit, where it has one."""

    name: str
    help: str
    labels: tuple[str, ...]
    values: Mapping[tuple[str, ...], float]


def gauge_page(gauges: Iterable[LabelledGauge]) -> bytes:
    """The page, in the text format of Prometheus (`lib.events.metrics.CONTENT_TYPE`).

    Raises:
        MissingExtra: the package for it is not installed.
    """
    try:
        from prometheus_client import CollectorRegistry
        from prometheus_client.exposition import generate_latest
    except ModuleNotFoundError:
        raise MissingExtra("Metrics", "console") from None
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Gauges(gauges))
    return generate_latest(registry)


class _Gauges:
    def __init__(self, gauges: Iterable[LabelledGauge]) -> None:
        self._gauges = tuple(gauges)

    def describe(self) -> Iterator[Metric]:
        return iter(())

    def collect(self) -> Iterator[Metric]:
        from prometheus_client.core import GaugeMetricFamily

        for gauge in self._gauges:
            family = GaugeMetricFamily(gauge.name, gauge.help, labels=gauge.labels)
            for labels, value in gauge.values.items():
                family.add_metric(labels, value)
            yield family
