"""Shared set-up: annotated types are checked while the tests run, and every test starts from the same random state."""

import gc
import os
from collections.abc import Iterator

os.environ.setdefault(
    "OMP_NUM_THREADS", "1"
)  # two workers share two cores; more threads would fight

import pytest
import torch
from beartype import BeartypeConf
from beartype.claw import beartype_package

import pretend_device

# requests are validated by pydantic, and name what they import when they are answered: help would wait for it
REQUESTS = (
    "pushforward.app.request",
    "pushforward.app.verbs",
    "pushforward.course.verbs",
    "pushforward.faces.verbs",
    "pushforward.faces.cli",
)
CONF = BeartypeConf(claw_is_pep526=False, is_pep484_tower=True, claw_skip_package_names=REQUESTS)
beartype_package("pushforward", conf=CONF)

# before the first gradient of the process: torch then counts the devices that gradients may come from, and no more later
pretend_device.install()

# torch says many of its warnings once a process; which test would fail with them must not hang on which test came first
torch.set_warn_always(True)


def pytest_collection_finish() -> None:
    """Look no more for garbage among modules and five thousand tests, which stay to the end."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def initial_weights() -> Iterator[None]:
    """Seed the initialisation of layers that a test builds by hand; `build` seeds its own, and nothing else is global."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(
            0
        )  # the other would keep a stack for each device there is not
        yield
