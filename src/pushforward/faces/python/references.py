"""What a model is judged by, and learns from, where a program brings data: read as its own were.

One idea: data are what they hold and not what they are called, so a model's own data are known
wherever they come from, and judged by the part that training never saw.
"""

from __future__ import annotations

from typing import Any

from pushforward.app.measuring.parts import own_data
from pushforward.app.runs.opening import reopen
from pushforward.app.verbs.shared import source_of
from pushforward.core.errors import BadInput
from pushforward.data.dataset import Dataset
from pushforward.data.images.options import pictures_of
from pushforward.data.in_memory import opening
from pushforward.data.in_terms import in_terms_of
from pushforward.data.open import open_data
from pushforward.faces.python import inputs
from pushforward.faces.python.fitted import Fitted, data_of
from pushforward.provenance.run_directory import RunRecord, open_record


def data_like(fitted: Fitted, data: Any) -> Dataset:
    """Return data read as the model's own were: its columns, categories and tokens, in any order.

    Raises:
        BadInput: data of another space, or with what the model does not know.
    """
    record = _record(fitted)
    if record is not None:
        return reopen(record, source_of(data))
    found = in_terms_of(_opened(fitted, data), fitted.encoding, fitted.model.classes)
    if found.space != fitted.model.space:
        raise BadInput(
            f"{found.name} is {found.space}",
            f"the model's {fitted.model.space}",
            "bring data of that space",
        )
    return found


def _opened(fitted: Fitted, data: Any) -> Dataset:
    """Return data as the run would be given that a model has not left: read and split as its own
    were."""
    if isinstance(data, Dataset):
        return data
    encoding = fitted.encoding
    return open_data(
        opening(source_of(data), encoding.reads_rows),
        encoding=encoding,
        context=encoding.array,
        kind=encoding.asked,
        images={} if fitted.plan is None else pictures_of(fitted.plan.config()["data"]),
    )


def reference_for(fitted: Fitted, data: Any) -> tuple[Dataset, bool]:
    """Return the data that a model is judged by, and whether somebody brought them: its own, whose
    test split it never saw, or held-out examples in the place of these.

    Args:
        data: None for its own, which are known by their content, whatever brings them.
    """
    if data is None:
        return data_of(fitted), False
    own = _own(fitted, data)
    if own is not None:
        return own, False
    if isinstance(data, Dataset):
        return in_terms_of(data, fitted.encoding, fitted.model.classes), True
    return inputs.with_test(data_of(fitted), fitted.model, fitted.encoding, data), True


def _record(fitted: Fitted) -> RunRecord | None:
    """Return what a model's run holds, None of one without."""
    if fitted.record is None and fitted.path is not None:
        return open_record(fitted.path)
    return fitted.record


def _own(fitted: Fitted, data: Any) -> Dataset | None:
    """Return data if they are what a model was trained on, else None."""
    record = _record(fitted)
    if record is not None:
        return own_data(record, source_of(data))
    if fitted.plan is None:
        return None
    try:
        found = _opened(fitted, data)
    except BadInput:  # a few examples, say
        return None
    return found if found.fingerprint == fitted.plan.dataset.fingerprint else None
