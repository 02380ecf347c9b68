"""Types of the public names; made by `python -m pushforward.faces.python.stub`, not by hand."""

from pathlib import Path
from typing import Any

from pushforward.app.request import Answer
from pushforward.core.limits import unlimited as unlimited
from pushforward.faces.python.fitted import Fitted
from pushforward.faces.python.verbs import compare as compare
from pushforward.faces.python.verbs import distil as distil
from pushforward.faces.python.verbs import evaluate as evaluate
from pushforward.faces.python.verbs import fit as fit
from pushforward.faces.python.verbs import load as load
from pushforward.faces.python.verbs import open as open

__version__: str

def average(
    run: Fitted | str | Path,
    *,
    output: str | Path,
    width: float | None = ...,
    best: bool = ...,
    widths: str | None = ...,
    step: int | None = ...,
    overwrite: bool = ...,
    device: str = ...,
    progress: bool | None = None,
) -> Answer:
    """Average the weights of a run over another share of its training, chosen afterwards."""

def sample(
    run: Fitted | str | Path,
    *,
    n: int | None = ...,
    given: str | None = ...,
    balance: str | None = ...,
    context: str | None = ...,
    guidance: float | None = ...,
    temperature: float | None = ...,
    length: int | None = ...,
    top_k: int | None = ...,
    top_p: float | None = ...,
    min_p: float | None = ...,
    typical: float | None = ...,
    repetition_penalty: float | None = ...,
    steps: int | None = ...,
    solver: str | None = ...,
    eta: float | None = ...,
    grid: str | None = ...,
    path: str | None = ...,
    tolerance: float | None = ...,
    guide: Any = ...,
    guidance_interval: str | None = ...,
    guidance_rescale: float | None = ...,
    classifier: Any = ...,
    posterior: str | None = ...,
    inpainting: str | None = ...,
    repeats: int | None = ...,
    strength: float | None = ...,
    device: str = ...,
    skip_bad: bool = ...,
    stop: Any = ...,
    match: str | None = ...,
    one_of: Any = ...,
    beams: int | None = ...,
    draft: Fitted | str | Path | None = ...,
    stream: bool = ...,
    observed: str | Path | None = ...,
    mask: str | Path | None = ...,
    operator: str | None = ...,
    noise: float | None = ...,
    start: str | Path | None = ...,
    rule: Any = ...,
    rules: str | Path | None = ...,
    seed: int = ...,
    compile: bool = ...,
    output: str | None = ...,
    progress: bool | None = None,
) -> Answer:
    """Draw samples from a run."""

def train_classifier(
    run: Fitted | str | Path,
    data: Any,
    *,
    output: str | Path,
    steps: int = ...,
    width: int = ...,
    seed: int = ...,
    device: str = ...,
    progress: bool | None = None,
) -> Answer:
    """Train a classifier of noisy examples, for `sample RUN --given CLASS --classifier DIRECTORY`."""

def complete(
    run: Fitted | str | Path,
    data: Any,
    *,
    how: str = ...,
    draws: int | None = ...,
    seed: int = ...,
    output: str | Path | None = ...,
    device: str = ...,
    progress: bool | None = None,
) -> Answer:
    """Fill the missing cells of a table; known cells come back as they were."""

def predict(
    run: Fitted | str | Path,
    data: Any,
    *,
    target: str,
    draws: int = ...,
    seed: int = ...,
    output: str | Path | None = ...,
    device: str = ...,
    progress: bool | None = None,
) -> Answer:
    """Predict one column of a table from the others, with probabilities or quantiles."""

def score(
    run: Fitted | str | Path,
    data: Any,
    *,
    estimator: str | None = ...,
    samples: int | None = ...,
    steps: int | None = ...,
    split: str | None = ...,
    seed: int = ...,
    stride: int | None = ...,
    n: int | None = ...,
    stderr: float | None = ...,
    by: str | None = ...,
    per_token: bool = ...,
    output: str | Path | None = ...,
    device: str = ...,
    progress: bool | None = None,
) -> Answer:
    """Log-likelihood of data under a run, with its kind and unit."""

def report(
    runs: Any,
    *,
    output: str | Path = ...,
    seed: int = ...,
    device: str = ...,
    progress: bool | None = None,
) -> Answer:
    """Write one offline HTML page for one or several runs."""

def sweep(
    run: Fitted | str | Path,
    data: Any = ...,
    *,
    calls: str = ...,
    solver: Any = ...,
    n: int | None = ...,
    output: str | Path | None = ...,
    seed: int = ...,
    device: str = ...,
    progress: bool | None = None,
) -> Answer:
    """Measure quality against network calls, for every solver of a run."""

def augment(
    data: Any,
    *,
    schema: Any = ...,
    family: str | None = ...,
    samples: Any = ...,
    target: str | None = ...,
    sizes: str | None = ...,
    ratios: str | None = ...,
    seeds: int = ...,
    budget: str | None = ...,
    steps: int | None = ...,
    examples: int | None = ...,
    settings: Any = ...,
    output: str | Path | None = ...,
    seed: int = ...,
    device: str = ...,
    progress: bool | None = None,
) -> Answer:
    """Say whether synthetic examples help to train a predictor: on real, synthetic and both, tested on real."""

def anomalies(
    run: Fitted | str | Path,
    data: Any,
    *,
    estimator: str | None = ...,
    n: int = ...,
    output: str | Path | None = ...,
    own: Any = ...,
    seed: int = ...,
    device: str = ...,
    progress: bool | None = None,
) -> Answer:
    """Say which examples are strange to a run, and what to doubt about that."""

def probe(
    run: Fitted | str | Path,
    data: Any = ...,
    *,
    n: int = ...,
    seed: int = ...,
    device: str = ...,
    progress: bool | None = None,
) -> Answer:
    """Say what a linear classifier reads off a run's codes, beside what it reads without them."""

def explain(
    target: str,
    *,
    progress: bool | None = None,
) -> Answer:
    """Say what is optimised, what kind of likelihood there is, what to look at and what it costs."""

def capabilities(
    *,
    presets: bool = ...,
    markdown: bool = ...,
    progress: bool | None = None,
) -> Answer:
    """Print what each family can honestly do."""

def cite(
    target: str,
    *,
    progress: bool | None = None,
) -> Answer:
    """Print the references of a family or run."""

def plugins(
    *,
    progress: bool | None = None,
) -> Answer:
    """List what installed packages add, and why something of it was left out."""

def config(
    run: Fitted | str | Path,
    *,
    progress: bool | None = None,
) -> Answer:
    """Print every setting of a run, what it means, and where its value came from."""

def data_list(
    *,
    progress: bool | None = None,
) -> Answer:
    """List the built-in data."""

def data_formats(
    *,
    progress: bool | None = None,
) -> Answer:
    """List the formats of files: their endings, what each is read as, and what can be written in it."""

def data_kinds(
    *,
    progress: bool | None = None,
) -> Answer:
    """List the kinds of columns: what tells each, what is modelled of it, and what comes back."""

def data_describe(
    data: Any,
    *,
    schema: Any = ...,
    settings: Any = ...,
    keep: Any = ...,
    rule: Any = ...,
    rules: str | Path | None = ...,
    errors: str | None = ...,
    skip_bad: bool = ...,
    progress: bool | None = None,
) -> Answer:
    """Say what the sniffer made of some data, and why."""

def schema(
    name: str,
    *,
    progress: bool | None = None,
) -> Answer:
    """Print the JSON schema of a verb's request: every field with its type, range, default and meaning."""

def course_list(
    *,
    progress: bool | None = None,
) -> Answer:
    """List the exercises: name, function, what it is about."""

def course_start(
    path: str | Path,
    *,
    progress: bool | None = None,
) -> Answer:
    """Write a file with every function to fill in."""

def course_check(
    path: str | Path,
    names: Any = ...,
    *,
    seconds: float = ...,
    progress: bool | None = None,
) -> Answer:
    """Say which answers are right and, of the others, which mistake it is; exit 1 if one is wrong."""

def course_hint(
    name: str,
    *,
    level: int = ...,
    progress: bool | None = None,
) -> Answer:
    """Give a hint to an exercise."""
