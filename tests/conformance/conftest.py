"""Fixtures of the conformance suite."""

from __future__ import annotations

import pytest

from conformance.cases import Case, cases


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", cases(), ids=str)


@pytest.fixture(scope="session")
def all_cases() -> list[Case]:
    return cases()
