"""Random draws of a batch, each text with a generator of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, Final

_LEAST: Final = 1e-30  # an exponential draw of 0 would divide by 0


@contextlib.contextmanager
def seeded_rows(torch: Any, seeds: Sequence[int], device: Any) -> Iterator[None]:
    """While this lasts, row `i` of a batch draws with the seed `seeds[i]`, whoever its neighbours are.

    The model draws each token with `torch.multinomial` from one generator for the whole batch, and its
    `generate` takes neither a generator nor a sampler. Then what a text sounds like would depend on the texts
    beside it, and a take could not be made again. This draws as `multinomial` does for one token: the largest
    of p / e, where e is exponential. It replaces the function for the whole process, so it is not safe for
    threads, as the engine is not.
    """
    generators = [torch.Generator(device=device).manual_seed(seed) for seed in seeds]
    whole = torch.multinomial

    def drawn(input: Any, num_samples: int, *args: Any, **kwargs: Any) -> Any:
        if args or kwargs or num_samples != 1 or input.dim() != 2 or len(input) != len(generators):
            return whole(input, num_samples, *args, **kwargs)
        noise = torch.empty_like(input, dtype=torch.float32)
        for row, generator in zip(noise, generators, strict=True):
            row.exponential_(generator=generator)
        return (input / noise.clamp_(min=_LEAST)).argmax(dim=-1, keepdim=True)

    torch.manual_seed(seeds[0])  # of whatever else may draw
    torch.multinomial = drawn
    try:
        yield
    finally:
        torch.multinomial = whole
