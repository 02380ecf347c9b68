"""The engine of measuring: one pass over the examples, whatever is asked.

Three ideas: a state is what all metrics need, kept once; updating and merging are pure, so shards
may be counted anywhere and in any order; features are computed once for each batch and view.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from pushforward.core.errors import BadInput, unknown
from pushforward.core.files import write_bytes
from pushforward.evaluation.checks import as_rows
from pushforward.evaluation.measuring.batch import ROLES, Batch
from pushforward.evaluation.measuring.statistic import Kept, Measured, Need, Statistic
from pushforward.evaluation.measuring.summaries import BlockedMoments, Contents, Reservoir, Summary

CAPACITY = 10_000
BATCH = 1000
TOGETHER = (
    10_000  # rows added to the summaries at once: a reservoir copies all that it keeps each time
)


@dataclass(frozen=True)
class EvaluationState:
    """What an evaluation knows so far; frozen, mergeable, and of bounded size.

    Attributes:
        design: hash of the evaluation it belongs to.
        kept: summaries by the key of their need.
        seen: number of examples of each role.
    """

    design: str
    kept: Mapping[str, Summary]
    seen: Mapping[str, int] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write the state as an `.npz` without pickles."""
        arrays = {
            f"{key}|{name}": a for key, s in self.kept.items() for name, a in s.to_arrays().items()
        }
        seen = np.array([self.seen.get(role, 0) for role in ROLES], dtype=np.int64)
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, design=np.array(self.design), seen=seen, **arrays)
        write_bytes(path, buffer.getvalue())


class Evaluation:
    """Some metrics that are measured together.

    Args:
        metrics: what to measure, in the order of the scores.
        seed: seed of which rows are kept.
        capacity: most rows kept of each role, `CAPACITY` where it is not named. The
            k-nearest-neighbour metrics take time proportional to its square.

    Example:
        >>> from pushforward.core.measure import Measure
        >>> from pushforward.core.score import Score
        >>> from pushforward.evaluation.measuring.statistic import DATA
        >>> class Mean(Statistic):
        ...     needs = (Need("samples", DATA, "moments"),)
        ...     def compute(self, kept):
        ...         whole = kept.moments("samples", DATA).whole
        ...         return [Measured(Score(Measure("mean"), float(whole.mean[0]), n=whole.count))]
        >>> e = Evaluation([Mean()])
        >>> a = e.update(e.init(), "samples", Batch.of(np.ones((3, 1))))
        >>> b = e.update(e.init(), "samples", Batch.of(np.zeros((1, 1)), first=3))
        >>> e.compute(e.merge(a, b))[0].score.value
        0.75
    """

    def __init__(
        self, metrics: Sequence[Statistic], seed: int = 0, capacity: Mapping[str, int] | None = None
    ) -> None:
        self.metrics, self.seed, self.capacity = tuple(metrics), seed, dict(capacity or {})
        self.needs: dict[str, Need] = {
            need.key: need for metric in metrics for need in metric.needs
        }
        words = repr((sorted(self.needs), seed, sorted(self.capacity.items())))
        self.design = hashlib.sha256(words.encode()).hexdigest()

    def init(self) -> EvaluationState:
        """Return the state of having seen nothing."""
        return EvaluationState(
            self.design, {key: self._empty(need) for key, need in self.needs.items()}
        )

    def _empty(self, need: Need) -> Summary:
        if need.keep == "moments":
            return BlockedMoments()
        if need.keep == "contents":
            return Contents()
        return Reservoir(self.capacity.get(need.role, CAPACITY), self.seed)

    def update(self, state: EvaluationState, role: str, batch: Batch) -> EvaluationState:
        """Return the state of having seen these examples too.

        Raises:
            BadInput: an unknown role, NaN or infinity, an identity that was there before, or a
                state of other metrics.
        """
        return self._seen(state, role, batch, len(batch))

    def _seen(self, state: EvaluationState, role: str, batch: Batch, size: int) -> EvaluationState:
        self._own(state)
        if role not in ROLES:
            raise BadInput(*unknown("role", role, ROLES))
        needs = [
            (key, need) for key, need in self.needs.items() if need.role == role and len(batch)
        ]
        if needs:
            as_rows(batch.x, _ROLE_WORDS[role])
        kept, views = dict(state.kept), {}
        for key, need in needs:
            if need.view.fingerprint not in views:
                parts = [need.view(batch.x[i : i + size]) for i in range(0, len(batch), size)]
                views[need.view.fingerprint] = (
                    parts[0] if len(parts) == 1 else np.concatenate(parts)
                )
            kept[key] = kept[key].add(batch, views[need.view.fingerprint])
        return EvaluationState(
            self.design, kept, {**state.seen, role: state.seen.get(role, 0) + len(batch)}
        )

    def take(
        self,
        state: EvaluationState,
        role: str,
        x: np.ndarray,
        labels: np.ndarray | None = None,
        size: int = BATCH,
        cases: np.ndarray | None = None,
    ) -> EvaluationState:
        """Return the state of having seen a whole array, numbered from zero, with features computed
        in batches of `size`."""
        for first in range(0, len(x), TOGETHER):
            part = slice(first, first + TOGETHER)
            known = None if labels is None else labels[part]
            whole = Batch.of(x[part], known, first, None if cases is None else cases[part])
            state = self._seen(state, role, whole, size)
        return state

    def merge(self, first: EvaluationState, second: EvaluationState) -> EvaluationState:
        """Return the state of having seen what both saw.

        Raises:
            BadInput: states of other metrics, features or seeds than this evaluation's.
        """
        self._own(first)
        self._own(second)
        kept = {key: first.kept[key].merge(second.kept[key]) for key in self.needs}
        seen = {
            role: first.seen.get(role, 0) + second.seen.get(role, 0)
            for role in {**first.seen, **second.seen}
        }
        return EvaluationState(self.design, kept, seen)

    def compute(self, state: EvaluationState) -> list[Measured]:
        """Return every metric's scores."""
        self._own(state)
        kept = Kept(state.kept)
        return [measured for metric in self.metrics for measured in metric.compute(kept)]

    def load(self, path: Path) -> EvaluationState:
        """Read a state that `EvaluationState.save` wrote.

        Raises:
            BadInput: not a state, or one of other metrics, features or seeds.
        """
        try:
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
                arrays = dict(file)
        except (OSError, ValueError, EOFError, BadZipFile) as error:
            raise BadInput(
                f"{path}, which cannot be read ({error})", "a state that an evaluation saved"
            ) from None
        if "design" not in arrays or "seen" not in arrays:
            raise BadInput(f"{path}", "a state that an evaluation saved")
        kinds = {"moments": BlockedMoments, "contents": Contents, "rows": Reservoir}
        state = EvaluationState(
            str(arrays["design"]),
            {},
            {r: n for r, n in zip(ROLES, arrays["seen"].tolist(), strict=True) if n},
        )
        self._own(state)
        kept: dict[str, Summary] = {}
        for key, need in self.needs.items():
            own = {
                name.removeprefix(f"{key}|"): a
                for name, a in arrays.items()
                if name.startswith(f"{key}|")
            }
            kept[key] = kinds[need.keep].from_arrays(own)
        return EvaluationState(state.design, kept, state.seen)

    def _own(self, state: EvaluationState) -> None:
        if state.design != self.design:
            raise BadInput(
                "a state of other metrics, features or seeds",
                "one of this evaluation",
                "measure both with the same",
            )


_ROLE_WORDS: dict[str, str] = {
    "samples": "samples",
    "reference": "reference examples",
    "train": "training examples",
    "heldout": "held-out examples",
}
