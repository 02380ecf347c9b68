"""The verbs: one line each. The command line, Python and the schemas are computed from this
list."""

from __future__ import annotations

from pushforward.app.request import Request
from pushforward.core.registry import Registry

_HERE = "pushforward.app.verbs"
VERBS: Registry[type[Request]] = Registry(
    "verb",
    {
        "compare": f"{_HERE}.compare:CompareRequest",
        "train": f"{_HERE}.train:TrainRequest",
        "average": f"{_HERE}.average:AverageRequest",
        "sample": f"{_HERE}.sample:SampleRequest",
        "train-classifier": f"{_HERE}.train_classifier:TrainClassifierRequest",
        "distil": f"{_HERE}.distil:DistilRequest",
        "complete": f"{_HERE}.complete:CompleteRequest",
        "predict": f"{_HERE}.predict:PredictRequest",
        "score": f"{_HERE}.score:ScoreRequest",
        "evaluate": f"{_HERE}.evaluate:EvaluateRequest",
        "report": f"{_HERE}.report:ReportRequest",
        "sweep": f"{_HERE}.sweep:SweepRequest",
        "augment": f"{_HERE}.augment:AugmentRequest",
        "anomalies": f"{_HERE}.anomalies:AnomaliesRequest",
        "probe": f"{_HERE}.probe:ProbeRequest",
        "explain": f"{_HERE}.knowing:ExplainRequest",
        "families": f"{_HERE}.knowing:FamiliesRequest",
        "cite": f"{_HERE}.knowing:CiteRequest",
        "plugins": f"{_HERE}.plugins:PluginsRequest",
        "config": f"{_HERE}.config:ShowConfigRequest",
        "data list": f"{_HERE}.data:DataListRequest",
        "data formats": f"{_HERE}.data:DataFormatsRequest",
        "data kinds": f"{_HERE}.data:DataKindsRequest",
        "data describe": f"{_HERE}.data:DataDescribeRequest",
    },
    of="type[pushforward.app.request:Request]",
    named="verb",
)
