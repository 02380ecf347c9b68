"""Shared set-up: annotated types are checked while the tests run, and cost nothing outside of them."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two workers share two cores; more threads would fight

from beartype import BeartypeConf
from beartype.claw import beartype_package

beartype_package("pushforward", conf=BeartypeConf(claw_is_pep526=False, is_pep484_tower=True))
