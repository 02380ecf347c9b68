"""The verbs: one line each. The command line, Python and the schemas are computed from this list."""

from __future__ import annotations

from pushforward.app.request import Request
from pushforward.core.registry import Registry

_HERE = "pushforward.app.verbs"
VERBS: Registry[type[Request]] = Registry(
    "verb",
    {
        "compare": f"{_HERE}.compare:Compare",
        "train": f"{_HERE}.train:Train",
        "average": f"{_HERE}.average:Average",
        "sample": f"{_HERE}.sample:Sample",
        "train-classifier": f"{_HERE}.train_classifier:TrainClassifier",
        "distil": f"{_HERE}.distil:Distil",
        "score": f"{_HERE}.score:Score",
        "evaluate": f"{_HERE}.evaluate:Evaluate",
        "report": f"{_HERE}.report:Report",
        "sweep": f"{_HERE}.sweep:Sweep",
        "augment": f"{_HERE}.augment:Augment",
        "anomalies": f"{_HERE}.anomalies:Anomalies",
        "probe": f"{_HERE}.probe:Probe",
        "explain": f"{_HERE}.knowing:Explain",
        "families": f"{_HERE}.knowing:Families",
        "cite": f"{_HERE}.knowing:Cite",
        "config": f"{_HERE}.config:ShowConfig",
        "data list": f"{_HERE}.data:DataList",
        "data describe": f"{_HERE}.data:DataDescribe",
    },
)
