"""Fixtures of the conformance suite."""

from __future__ import annotations

import pytest

from conformance.cases import Case, cases


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    chosen = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    if "case" in metafunc.fixturenames and "case" not in chosen:
        metafunc.parametrize("case", cases(), ids=str)


@pytest.fixture(scope="session")
def all_cases() -> list[Case]:
    return cases()
