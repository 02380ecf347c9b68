"""Spaces, scores, specifications, registry: what they accept and how they refuse."""

from __future__ import annotations

import json
import math

import pytest
import torch

from pushforward.core.codec import Logit
from pushforward.core.errors import BadInput
from pushforward.core.registry import Registry
from pushforward.core.score import Score, better_of
from pushforward.core.space import Image, Points, space_from_json
from pushforward.core.spec import TrainConfig, parse, parse_settings
from scored import called


@pytest.mark.parametrize("space", [Points(3), Image(3, 4, 5, levels=17)])
def test_space_json_round_trip(space: Points | Image) -> None:
    assert space_from_json(space.to_json()) == space


def test_space_refuses_what_is_not_in_it() -> None:
    with pytest.raises(BadInput, match=r"NaN or infinity in rows \[1\]"):
        Points(2).check(torch.tensor([[0.0, 1.0], [float("nan"), 0.0]]))
    with pytest.raises(BadInput, match=r"values from 0 to 16"):
        Image(1, 2, 2, levels=17).check(torch.full((1, 1, 2, 2), 17))
    with pytest.raises(BadInput, match=r"dtype torch.float32"):
        Image(1, 2, 2).check(torch.zeros(1, 1, 2, 2))
    with pytest.raises(BadInput, match=r"shape \(1, 3\)"):
        Points(2).check(torch.zeros(1, 3))


def interval(low: float, high: float, **more: object) -> Score:
    return called("nll", (low + high) / 2, n=10, better="lower", low=low, high=high, **more)  # type: ignore[arg-type]


def test_overlap_is_undecided_and_kinds_have_no_order() -> None:
    assert better_of(interval(1, 2), interval(3, 4)) == "first"
    assert better_of(interval(3, 4), interval(1, 2)) == "second"
    assert better_of(interval(1, 3), interval(2, 4)) == "undecided"
    with pytest.raises(BadInput, match=r"kind differ"):
        better_of(interval(1, 2, kind="exact"), interval(3, 4, kind="lower_bound"))


def test_score_json_is_standard_json() -> None:
    score = called(
        "x",
        float("inf"),
        n=1,
        better="lower",
        low=float("-inf"),
        null=float("nan"),
        warnings=("too few",),
    )
    text = json.dumps(score.to_json(), allow_nan=False)
    back = Score.from_json(json.loads(text))
    assert (back.value, back.low, back.high, back.warnings) == (
        float("inf"),
        float("-inf"),
        None,
        ("too few",),
    )
    assert back.null is not None
    assert math.isnan(back.null)


NAMES = {
    "frechet distance [pca-16] vs test": ("frechet distance", "", "", "pca-16", "", "test"),
    "frechet distance, bias removed [pca-16] vs train": (
        "frechet distance, bias removed",
        "",
        "",
        "pca-16",
        "",
        "train",
    ),
    "sliced wasserstein distance, order 2 [f] vs test": (
        "sliced wasserstein distance",
        "order 2",
        "",
        "f",
        "",
        "test",
    ),
    "negative log-likelihood given label [exact] vs test": (
        "negative log-likelihood",
        "",
        "label",
        "exact",
        "",
        "test",
    ),
    "distinct-1 [20 blocks of 4 windows] vs test": (
        "distinct-1",
        "",
        "",
        "20 blocks of 4 windows",
        "",
        "test",
    ),
    "copying statistic [pca-8, k=5] train vs test": (
        "copying statistic",
        "",
        "",
        "pca-8, k=5",
        "train",
        "test",
    ),
    "singling out [4 columns] train vs held-out": (
        "singling out",
        "",
        "",
        "4 columns",
        "train",
        "held-out",
    ),
    "probe accuracy [codes]": ("probe accuracy", "", "", "codes", "", ""),
    "precision of neighbours [x] vs test": ("precision of neighbours", "", "", "x", "", "test"),
    "held-out likelihood vs test": ("held-out likelihood vs test", "", "", "", "", ""),
}


@pytest.mark.parametrize("name", NAMES)
def test_names_of_old_records_are_taken_apart_once_and_made_again(name: str) -> None:
    old = called(name, 1.0)
    fields = (old.metric, old.setting, old.given, old.view, old.subject, old.reference)
    assert (fields, old.name) == (NAMES[name], name)
    assert Score.from_json(old.to_json()) == old


def test_numbers_that_no_machine_counts_to_are_refused() -> None:
    from pushforward.families.build import family_class
    from pushforward.families.catalogue import FAMILIES

    for family in FAMILIES.names():
        config = family_class(family).config_type
        for value, match in ((10**30, "a number below"), (10**9, "expected at most 10000")):
            with pytest.raises(BadInput, match=match):
                parse(config, {"depth": value}, "model")
    with pytest.raises(BadInput, match="a number below"):
        parse(TrainConfig, {"batch_size": 10**30}, "train")


def test_unknown_key_names_the_nearest() -> None:
    with pytest.raises(BadInput, match=r"unknown key 'train.batchsize'.*did you mean 'batch_size'"):
        parse(TrainConfig, {"batchsize": 3}, "train")
    with pytest.raises(BadInput, match=r"'train.batch_size=0'"):
        parse(TrainConfig, {"batch_size": 0}, "train")
    with pytest.raises(BadInput, match=r"unknown section 'modl'.*did you mean 'model'"):
        parse_settings(["modl.width=3"])
    with pytest.raises(BadInput, match=r"section.key=value"):
        parse_settings(["width"])


def test_registry_refuses_duplicates_and_suggests() -> None:
    registry = Registry("family", {"flow": "a:b"})
    with pytest.raises(BadInput, match=r"registered twice"):
        registry.register("flow", "c:d")
    with pytest.raises(BadInput, match=r"unknown family 'flwo'.*did you mean 'flow'"):
        registry.resolve("flwo")


def test_the_logit_reports_the_determinant_of_its_jacobian() -> None:
    y = torch.tensor([[0.1, 0.7, 0.96], [0.02, 0.5, 0.3]], dtype=torch.float64)
    transform = Logit(0.05)
    for row in y:
        jacobian = torch.autograd.functional.jacobian(
            lambda one: transform.encode(one[None], None)[0][0], row
        )
        reported = transform.encode(row[None], None)[1]
        assert float(reported) == pytest.approx(float(jacobian.logdet()), abs=1e-9)
