"""The contract of a generative model: public verbs that validate, private hooks that are mathematics.

Three ideas: everything public speaks data units and goes through the codec; every verb a family does not declare raises
`Unsupported` with a reason; `given=None` on a labelled model is the mixture over the training labels unless the
family was trained without its condition as well.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar, final

import torch
from torch import Tensor, nn

from pushforward.core.capabilities import Capabilities, Card, Estimator
from pushforward.core.codec import Codec
from pushforward.core.conditions import Condition, draw_labels, require_labels, require_parts, resolve
from pushforward.core.context import ContextSpace
from pushforward.core.curve import Curve
from pushforward.core.errors import BadInput, Unsupported
from pushforward.core.given import Examples, Given, label_of
from pushforward.core.latent import Latent
from pushforward.core.limits import require_bytes
from pushforward.core.logprob import LogProb
from pushforward.core.loss import Loss
from pushforward.core.noise import BatchNoise, Noise, Streams
from pushforward.core.options import SampleOptions, parse_options
from pushforward.core.scoring import Query, chunks, conditional_log_prob, encoded_examples, marginal_log_prob
from pushforward.core.space import Space
from pushforward.core.spec import Config
from pushforward.core.walk import Walk, run


class GenerativeModel(nn.Module, ABC):
    """A distribution over a `Space`, learned from examples.

    Constructors store and build networks; `prepare` looks at training data once; the engine trains. Subclasses are final:
    they set `family`, `capabilities`, `card`, `config_type`, `presets` and implement the underscored hooks. A model whose settings
    take something away sets its own, narrower `capabilities`.

    `presets` maps `(preset, kind of space)` to `{"model": {...}, "train": {...}}`; `architecture_beyond` names for a kind of
    space the architecture of examples with more than so many dimensions.
    """

    family: ClassVar[str]
    capabilities: Capabilities
    card: ClassVar[Card]
    config_type: ClassVar[type[Config]]
    presets: ClassVar[Mapping[tuple[str, str], Mapping[str, Mapping[str, Any]]]]
    architecture_beyond: ClassVar[Mapping[str, tuple[int, str]]] = {}

    label_frequency: Tensor

    def __init__(
        self, space: Space, config: Config, classes: tuple[str, ...] = (), context: ContextSpace | None = None
    ) -> None:
        super().__init__()
        if space.kind not in self.capabilities.spaces:
            raise Unsupported(
                f"{self.family} on {space.kind}",
                "one of " + ", ".join(self.capabilities.spaces),
                "see `pushforward families`",
            )
        self.space, self.config, self.classes, self.context = space, config, classes, context
        self.codec = self._codec()
        frequency = torch.full((len(classes),), 1.0 / max(1, len(classes)), dtype=torch.float64)
        self.register_buffer("label_frequency", frequency)

    @property
    def chunk(self) -> int:
        """How many examples are scored or drawn at once: 256, and more where an example is a few numbers."""
        return max(256, min(4096, 2**13 // self.space.dimensions))

    @property
    def glance(self) -> int:
        """How many training examples `_prepare` sees: 512, enough for a data-dependent initialisation."""
        return 512

    # ---- hooks: pure mathematics on encoded tensors ------------------------------------------------------------------

    @abstractmethod
    def _codec(self) -> Codec:
        """Return the codec from the space to the tensor this family models."""

    @abstractmethod
    def networks(self) -> dict[str, nn.Module]:
        """Return the networks the engine may wrap (precision, memory format, compilation)."""

    @abstractmethod
    def _losses(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Loss]:
        """Yield the losses of one training step on an encoded batch."""

    @abstractmethod
    def _walk(self, noise: Noise, given: Given | None, options: SampleOptions) -> Walk[Any]:
        """Return the sampler of `noise.n` examples."""

    def _prepare(self, x: Tensor, given: Given | None) -> None:
        """Look once at encoded training data (data-dependent initialisation, scales)."""

    def _log_prob(
        self, x: Tensor, given: Given | None, noise: Noise, estimator: str, samples: int, steps: int | None = None
    ) -> LogProb:
        """Return the log-probability of an encoded batch, in the measure of the encoding.

        A family that declares no estimator with steps need not take any: none are passed.
        """
        raise self.capabilities.refuse(self.family, "log_prob")

    def _vouch(self, lp: LogProb, steps: int | None) -> None:
        """Refuse log-probabilities that mean nothing; the default vouches for all."""

    def _encode(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor:
        """Return codes of an encoded batch."""
        raise self.capabilities.refuse(self.family, "encode")

    def _decode(self, z: Tensor, given: Given | None) -> Tensor:
        """Return the encoded batch that codes stand for."""
        raise self.capabilities.refuse(self.family, "decode")

    def _terms(self, x: Tensor, given: Given | None) -> Tensor:
        """Return `log p(x_d | x_<d)`, shape (N, D), where the family has a chain rule over positions."""
        raise self.capabilities.refuse(self.family, "terms")

    def _held_out(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor | None:
        """Return shape (N,): the quantity that `capabilities.held_out` names, lower is better; None if there is none."""
        return None

    def _curves(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Curve]:
        """Yield the curves in which this family's objective shows itself, on an encoded held-out batch."""
        yield from ()

    def _learned_curves(
        self, x: Tensor, given: Given | None, noise: Noise, training: Callable[[], Examples]
    ) -> Iterator[Curve]:
        """Yield what tells the training examples, which `training()` encodes, from held-out ones."""
        yield from ()

    # ---- public verbs: validate, encode, call the hook, decode -------------------------------------------------------

    @property
    def device(self) -> torch.device:
        """Device of the parameters."""
        return next((p.device for p in self.parameters()), torch.device("cpu"))

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Return the groups that `Loss.parameters` names; override for a game."""
        return {"model": [p for p in self.parameters() if p.requires_grad]}

    def hidden_matrices(self) -> list[nn.Parameter]:
        """Return the matrices between hidden layers that Muon may take (no embeddings, no heads); none by default."""
        return []

    @final
    @torch.no_grad()
    def prepare(self, train: Examples) -> None:
        """Fit the codec and the label frequencies on training data, once, before training."""
        x = self.space.check(train.x)
        self._require_parts(train.given)
        require_labels(train.given, self.classes, self.context)
        self.codec.fit(x)
        label = label_of(train.given)
        if label is not None and self.classes:
            counts = torch.bincount(label, minlength=len(self.classes)).double()
            self.label_frequency.copy_(counts / counts.sum())
        head = train[: self.glance].to(self.device)
        noise = Streams(0, len(head)) if self.codec.adds_noise else None
        self._prepare(self.codec.encode(head.x, noise).value, head.given)

    def step_taken(self, fraction: float = 0.0) -> None:
        """Follow training by one step; the engine calls it, so that `losses` itself changes nothing (a warm-up's counter).

        Args:
            fraction: share of the budget that was spent before this step.
        """

    @final
    def losses(self, batch: Examples, rng: torch.Generator) -> Iterator[Loss]:
        """Yield the losses of one training step on a batch in data units."""
        require_labels(batch.given, self.classes, self.context)
        noise = BatchNoise(rng, len(batch), self.device)
        return self._losses(self.codec.encode(batch.x, noise).value, batch.given, noise)

    @final
    @torch.no_grad()
    def held_out(self, examples: Examples, seed: int = 0) -> Tensor | None:
        """Return the held-out quantity per example (lower is better), log-probabilities in data units; None without one."""
        require_labels(examples.given, self.classes, self.context)
        parts = []
        for first, chunk in chunks(self, examples):
            noise = Streams(seed, len(chunk), first, self.device)
            encoded = self.codec.encode(chunk.x, noise)
            if (part := self._held_out(encoded.value, chunk.given, noise)) is None:
                return None
            parts.append(part - encoded.log_det if self.capabilities.held_out_of_data else part)
        return torch.cat(parts)

    @final
    @torch.no_grad()
    def curves(self, examples: Examples, seed: int = 0, train: Examples | None = None) -> list[Curve]:
        """Return what this family's objective gives to look at, on the first `chunk` held-out examples.

        Args:
            train: all training examples, for what only shows beside them; None leaves that out.
        """
        require_labels(examples.given, self.classes, self.context)
        head = examples[: self.chunk].to(self.device)
        noise = Streams(seed, len(head), device=self.device)
        x = self.codec.encode(head.x, noise).value
        found = list(self._curves(x, head.given, noise))
        if train is None:
            return found
        require_labels(train.given, self.classes, self.context)
        # a function: encoded only if it is asked for, because the windows of a text are many times the text
        training = lambda: encoded_examples(self, train, seed)  # noqa: E731
        return [*found, *self._learned_curves(x, head.given, noise, training)]

    @final
    @torch.no_grad()
    def walk(self, n: int, given: Condition = None, seed: int = 0, first: int = 0, **options: Any) -> Walk[Any]:
        """Return the sampler itself, for progress, streaming and trajectories; its output is not yet decoded."""
        noise = Streams(seed, n, first, self.device)
        chosen = self._options(options)
        classes = self.classes or getattr(chosen.classifier, "classes", ())
        return self._walk(noise, self._condition(given, n, noise, classes), chosen)

    @final
    @torch.no_grad()
    def sample(
        self,
        n: int,
        given: Condition = None,
        seed: int = 0,
        batch: int | None = None,
        on_step: Callable[[int, int], None] | None = None,
        **options: Any,
    ) -> Tensor:
        """Draw `n` examples in data units; example i depends on `seed` and i only, never on its batch.

        Args:
            given: None, one class for all (a name, or a number as `class_of` reads it), or a tensor of n class indices.
            batch: how many to draw at once; None = `self.chunk`.
            on_step: called with (steps done, steps in all).
            options: `guidance`, `steps`, `solver`, `temperature` where the family declares them.

        Raises:
            BadInput: n < 1, an unknown class or option.
            Unsupported: an option that this family does not declare.
        """
        if n < 1:
            raise BadInput(f"n={n}", "at least one sample")
        chosen = self._options(options)
        # kept in parts, joined and decoded
        size = 16.0 * n * max(self.space.dimensions, chosen.length or 0)
        require_bytes(size, f"n={n:,} samples at once", "draw fewer at a time, with another seed each")
        batch = batch or self.chunk
        parts: list[Tensor] = []
        for first in range(0, n, batch):
            m = min(batch, n - first)
            condition = given[first : first + m] if isinstance(given, Given | Tensor) else given
            if isinstance(given, Given | Tensor) and len(given) != n:
                raise BadInput(f"{len(given)} conditions for n={n} samples", "one condition per sample")
            walk = self.walk(m, condition, seed, first, **options)
            report = None
            if on_step is not None:
                done, batches = len(parts), -(-n // batch)
                report = lambda i, length, done=done, batches=batches: on_step(done * length + i, batches * length)  # noqa: E731
            parts.append(self.codec.decode(run(walk, report)))
        return torch.cat(parts)

    @final
    @torch.no_grad()
    def log_prob(
        self,
        x: Tensor | Examples,
        given: Condition = None,
        *,
        estimator: str | None = None,
        samples: int | None = None,
        steps: int | None = None,
        seed: int = 0,
        on_chunk: Callable[[int, int], None] | None = None,
    ) -> LogProb:
        """Return log-probabilities in data units, with their kind.

        `Examples` bring their own labels. A plain tensor without `given` on a labelled model is scored under the mixture
        `p(x) = sum_y p(y) p(x|y)` over the training label frequencies.

        Args:
            estimator: one that `capabilities.estimators` declares for this space; None = the first.
            samples: Monte Carlo samples of the estimator (importance samples, noise levels, dequantisations); an exact
                one draws none.
            steps: of an estimator that takes some (an ODE's, a chain's); None = the model's own number.
            on_chunk: called with (examples scored, examples in all).

        Raises:
            Unsupported: the family has no likelihood, not this estimator, no steps for it, or a number without meaning.
        """
        chosen = self.estimator(estimator)
        self.capabilities.require_steps(chosen, self.space.kind, steps)
        if isinstance(x, Examples):
            if given is not None and x.given is not None:
                raise BadInput("examples with a condition of their own and a separate one", "one of them")
            examples = x if self.classes else x.without_labels()
        else:
            examples = Examples(self.space.check(x), None)
        self.space.check(examples.x)
        if given is not None:
            examples = replace(examples, given=self._condition(given, len(examples), None))
        if len(examples) == 0:
            raise BadInput("an empty batch", "at least one example")
        self._require_parts(examples.given)
        marginal = bool(self.classes) and label_of(examples.given) is None and not self.capabilities.null_condition
        log_prob = marginal_log_prob if marginal else conditional_log_prob
        query = Query(chosen, samples, steps, seed)
        parts = [log_prob(self, chunk, first, query) for first, chunk in chunks(self, examples, on_chunk)]
        whole = LogProb.concatenate(parts)
        self._vouch(whole, steps)
        return replace(whole, sizes=examples.sizes, cases=examples.cases)

    @final
    @torch.no_grad()
    def terms(self, examples: Examples) -> Tensor:
        """Return the log-probability of every position given those before it, (N, D), whose sum is an encoded example's.

        Raises:
            Unsupported: a family without a chain rule.
        """
        self._require_parts(examples.given)
        parts = [
            self._terms(self.codec.encode(self.space.check(chunk.x)).value, chunk.given)
            for _, chunk in chunks(self, examples)
        ]
        return torch.cat(parts)

    @final
    @torch.no_grad()
    def encode(self, x: Tensor, given: Condition = None, seed: int = 0) -> Latent:
        """Return a code per example; `Latent.kind` says whether it is exact, a posterior draw or an ODE solution.

        Raises:
            Unsupported: this family has no codes on this space.
            BadInput: no condition for a model whose codes depend on the label.
        """
        kind = self.capabilities.encode.get(self.space.kind)
        if kind is None:
            raise self.capabilities.refuse(self.family, "encode")
        self._require_condition(given, "encode")
        self.space.check(x)
        noise = Streams(seed, len(x), device=self.device)
        condition = self._condition(given, len(x), noise)
        return Latent(self._encode(self.codec.encode(x.to(self.device), noise).value, condition, noise), kind)

    @final
    @torch.no_grad()
    def decode(self, z: Tensor, given: Condition = None) -> Tensor:
        """Return the examples, in data units, that codes stand for."""
        if self.space.kind not in self.capabilities.encode and "decode" in self.capabilities.refusals:
            raise self.capabilities.refuse(self.family, "decode")
        self._require_condition(given, "decode")
        condition = self._condition(given, len(z), Streams(0, len(z), device=self.device))
        return self.codec.decode(self._decode(z.to(self.device), condition))

    @final
    def estimator(self, name: str | None = None) -> Estimator:
        """Return the named estimator of log p(x), or the default one.

        Raises:
            Unsupported: no likelihood at all, or no estimator of that name on this space.
        """
        return self.capabilities.estimator(self.family, self.space.kind, name)

    # ---- shared machinery ----------------------------------------------------------------------------------------------

    def _condition(
        self, given: Condition, n: int, noise: Noise | None, classes: tuple[str, ...] | None = None
    ) -> Given | None:
        # a model without classes may borrow those of a classifier
        found = resolve(given, n, self.classes if classes is None else classes)
        self._require_parts(found)
        if found is None and self.classes and not self.capabilities.null_condition and noise is not None:
            found = Given(draw_labels(self.label_frequency, noise))
        return None if found is None else found.to(self.device)

    def _options(self, options: Mapping[str, Any]) -> SampleOptions:
        conditional = bool(self.classes) or self.context is not None or self.space.kind == "text"
        return parse_options(options, self.family, self.capabilities, conditional=conditional)

    def _require_condition(self, given: Condition, verb: str) -> None:
        # under a mixture of labels a code would mean something else with every draw
        if given is None and self.classes and not self.capabilities.null_condition:
            raise BadInput(
                f"`{verb}` without a condition", "the label of each example", "pass `given`: codes depend on the label"
            )

    def _require_parts(self, given: Given | None) -> None:
        labelled = bool(self.classes) and not self.capabilities.null_condition
        require_parts(given, self.capabilities.conditions, self.space, self.family, labelled, self.context)
