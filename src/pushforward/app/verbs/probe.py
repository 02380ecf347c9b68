"""What a linear classifier reads off a run's codes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from pushforward.app.request import WIDTH, Answer, argument, option
from pushforward.app.verbs.computing import ComputingRequest
from pushforward.app.verbs.shared import OfRun, Seed, Source

if TYPE_CHECKING:
    from pushforward.app.measuring.probing import Codes
    from pushforward.app.progress.watch import Watch

LABELS_KNOWN = "the run is given the label, so its codes need not hold it; train with `-s data.labels=false` to ask that"


class ProbeRequest(ComputingRequest):
    """Say what a linear classifier reads off a run's codes, beside what it reads without them."""

    verb = "probe"
    run: Annotated[OfRun, argument("Run directory of a family with codes.", completes="runs")]
    data: Annotated[
        Source | None, argument("Labelled data; default: the run's own.", completes="data")
    ] = None
    n: Annotated[int, option("Most examples to encode of train and of test.", "-n", ge=20)] = 2000
    seed: Seed = 0

    def answer(self, watch: Watch) -> ProbedCodes:
        """Encode, and fit a classifier on codes, on raw data and on noise."""
        from pushforward.app.measuring.probing import probe_run

        with watch.busy(f"encoding with {self.run}"):
            return ProbedCodes(probe_run(self.run, self.data, self.n, self.seed))


class ProbedCodes(Answer):
    """How well labels are read off codes, and off data without a model."""

    def __init__(self, found: Codes) -> None:
        self.found = found

    def json(self) -> dict[str, Any]:
        """Return every classifier's accuracy with its interval."""
        found = self.found
        records = [
            {
                **p.accuracy.to_json(),
                "width": p.width,
                "p_value": None if math.isnan(p.p_value) else p.p_value,
            }
            for p in found.probes
        ]
        return {
            "codes": found.kind,
            "conditional": found.conditional,
            "notes": list(found.notes),
            "probes": records,
        }

    def lines(self, width: int = WIDTH) -> Iterator[str]:
        """Yield every classifier's accuracy, the commonest class's, and what to know."""
        for note in self.found.notes:
            yield f"note: {note}"
        for p in self.found.probes:
            s = p.accuracy
            against = (
                ""
                if math.isnan(p.p_value)
                else f"; p of being as good as the codes {p.p_value:.2g}"
            )
            yield f"{p.name}, {p.width} dimensions: {s.value:.3f} [{s.low:.3f}, {s.high:.3f}] right (n = {s.n}){against}"
        yield f"the commonest class alone: {self.found.probes[0].accuracy.null:.3f}"
        if self.found.conditional:
            yield f"note: {LABELS_KNOWN}"
