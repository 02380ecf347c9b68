"""The contract of a generative model: public verbs validate, private hooks are mathematics.

Three ideas: everything public speaks data units and goes through the codec; every verb a family
does not declare raises `Unsupported` with a reason; `given=None` on a labelled model is the mixture
over the training labels unless the family was trained without its condition as well.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar, final

import torch
from torch import Tensor

from pushforward.core.architecture import Architecture
from pushforward.core.capabilities import Capabilities, Card
from pushforward.core.codec import Codec
from pushforward.core.coding import codes_of, examples_of
from pushforward.core.conditions import (
    Condition,
    draw_labels,
    refuse_observed,
    require_condition,
    require_labels,
    require_parts,
    resolve,
)
from pushforward.core.context import ContextSpace
from pushforward.core.curve import Curve
from pushforward.core.errors import BadInput, Unsupported
from pushforward.core.estimator import Estimator
from pushforward.core.given import Examples, Given, label_of
from pushforward.core.hooks import Hooks
from pushforward.core.latent import Latent
from pushforward.core.limits import require_bytes
from pushforward.core.logprob import LogProb
from pushforward.core.loss import Loss
from pushforward.core.noise import Noise, Places, Streams
from pushforward.core.options import OptionReader, SampleOptions, chosen_options
from pushforward.core.placement import memory_of
from pushforward.core.portions import in_portions
from pushforward.core.preset import Preset
from pushforward.core.scoring import Query, encoded_examples, of_chunks, score_all
from pushforward.core.space import Space
from pushforward.core.spec import Config
from pushforward.core.walk import Walk, of_all, run


class GenerativeModel(Hooks, ABC):
    """A distribution over a `Space`, learned from examples.

    Constructors store and build networks; `prepare` looks at training data once; the engine trains.
    Subclasses are final: they set `family`, `capabilities`, `card`, `config_type`, `presets` and
    implement the underscored hooks. A model whose settings take something away sets its own,
    narrower `capabilities`.

    `presets` maps `(preset, place)` to settings; what a place is, `core/preset.py` says.
    """

    family: ClassVar[str]
    capabilities: Capabilities
    card: ClassVar[Card]
    config_type: ClassVar[type[Config]]
    presets: ClassVar[Mapping[tuple[str, str], Preset]]

    label_frequency: Tensor

    def __init__(
        self,
        space: Space,
        config: Config,
        classes: tuple[str, ...] = (),
        context: ContextSpace | None = None,
    ) -> None:
        super().__init__()
        if space.kind not in self.capabilities.spaces:
            raise Unsupported(
                f"{self.family} on {space.kind}",
                "one of " + ", ".join(self.capabilities.spaces),
                "see `pushforward families`",
            )
        self.space, self.config, self.classes, self.context = space, config, classes, context
        self.architecture.refuse_unread(config)
        self.codec = self._codec()
        frequency = torch.full((len(classes),), 1.0 / max(1, len(classes)), dtype=torch.float64)
        self.register_buffer("label_frequency", frequency)

    @property
    def chunk(self) -> int:
        """How many examples are scored or drawn at once: 256, and more where an example is a few
        numbers."""
        return max(256, min(4096, 2**13 // self.space.dimensions))

    @property
    def architecture(self) -> Architecture:
        """What it is made of: the architecture that the settings name, or the default one of its
        kind of data."""
        return self.capabilities.architecture(
            self.space.kind, getattr(self.config, "architecture", None)
        )

    def _codec(self) -> Codec:
        """Return the codec from the space to the tensor this family models: the architecture's, or
        that of the default one; data as they are where neither has one."""
        default = self.capabilities.architecture(self.space.kind)
        return self.architecture.codec_of(self.space, default)

    def _refusal(self, verb: str) -> Unsupported:
        return self.capabilities.refuse(self.family, verb)

    # ---- public verbs: validate, encode, call the hook, decode

    @property
    def device(self) -> torch.device:
        """Device of the parameters."""
        return next((p.device for p in self.parameters()), torch.device("cpu"))

    @final
    @torch.no_grad()
    def prepare(self, train: Examples) -> None:
        """Fit the codec and the label frequencies on training data, once, before training."""
        x = self.space.check(train.x)
        self._require_parts(train.given)
        require_labels(train.given, self.classes, self.context)
        where = self.device
        self.codec.to("cpu").fit(x.cpu())  # equal numbers come of equal data, wherever they are
        self.codec.to(where)
        label = label_of(train.given)
        if label is not None and self.classes:
            counts = torch.bincount(label, minlength=len(self.classes)).double()
            self.label_frequency.copy_(counts / counts.sum())
        head = train[: self.glance].to(self.device)
        noise = Streams(0, len(head), device=self.device) if self.codec.adds_noise else None
        self._prepare(self.codec.encode(head.x, noise).value, head.given)

    @final
    def losses(self, batch: Examples, noise: Noise) -> Iterator[Loss]:
        """Yield the losses of one training step on a batch in data units.

        Args:
            noise: of that many examples, on the model's device.
        """
        require_labels(batch.given, self.classes, self.context)
        batch = batch.to(self.device)
        return self._losses(self.codec.encode(batch.x, noise).value, batch.given, noise)

    @final
    @torch.no_grad()
    def held_out(self, examples: Examples, seed: int = 0) -> Tensor | None:
        """Return the held-out quantity per example (lower is better), log-probabilities in data
        units; None without one."""
        require_labels(examples.given, self.classes, self.context)
        if not self.capabilities.held_out:
            return None

        def measured(chunk: Examples, first: int) -> Tensor:
            noise = Streams(seed, len(chunk), first, self.device)
            encoded = self.codec.encode(chunk.x, noise)
            part = self._held_out(encoded.value, chunk.given, noise)
            assert part is not None, f"{self.family} declares a held-out quantity and has none"
            return (part - encoded.log_det if self.capabilities.held_out_of_data else part).cpu()

        return torch.cat(of_chunks(self, examples, measured))

    @final
    @torch.no_grad()
    def curves(
        self, examples: Examples, seed: int = 0, train: Examples | None = None
    ) -> list[Curve]:
        """Return what this family's objective gives to look at, on the first `chunk` held-out
        examples.

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
        # encoded only if it is asked for, because the windows of a text are many times the text
        training = lambda: encoded_examples(self, train, seed)  # noqa: E731
        return [*found, *self._learned_curves(x, head.given, noise, training)]

    @final
    @torch.no_grad()
    def walk(
        self, n: int, given: Condition = None, seed: int = 0, first: Places = 0, **options: Any
    ) -> Walk[Any]:
        """Return the sampler itself, of example `first` and on or of those with given numbers; its
        output is not yet decoded."""
        noise = Streams(seed, n, first, self.device)
        chosen = self._options(options)
        classes = self.classes or getattr(chosen.classifier, "classes", ())
        walk = self._walk(noise, self._condition(given, n, noise, classes), chosen)
        return self.architecture.drawn(self, walk, chosen)

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
        """Draw `n` examples in data units; example i depends on `seed` and i only, never on its
        batch.

        Args:
            given: None, one class for all (a name, or a number as `class_of` reads it), or a tensor
                of n class indices.
            batch: how many to draw at once; None = `self.chunk`, more where a device has room.
            on_step: called with (steps done, steps in all).
            options: `guidance`, `steps`, `solver`, `temperature` where the family declares them.

        Raises:
            BadInput: n < 1, an unknown class or option.
            Unsupported: an option that this family does not declare.
        """
        if n < 1:
            raise BadInput(f"n={n}", "at least one sample")
        chosen = self._options(options)
        # in parts, joined and decoded
        kept = 16.0 * n * max(self.space.dimensions, chosen.length or 0)
        fewer = "draw fewer at a time, with another seed each"
        require_bytes(kept, f"n={n:,} samples at once", fewer)
        if isinstance(given, Given | Tensor) and len(given) != n:
            raise BadInput(f"{len(given)} conditions for n={n} samples", "one condition per sample")
        size = batch or self.chunk

        def drawn(first: int, count: int) -> Tensor:
            condition = given[first : first + count] if isinstance(given, Given | Tensor) else given
            walk = self.walk(count, condition, seed, first, **options)
            report = None if on_step is None else of_all(on_step, first, count, n, -(-n // size))
            return self.codec.decode(run(walk, report)).cpu()

        memory = memory_of(self.device) if batch is None else None
        return torch.cat(in_portions(n, size, drawn, memory=memory))

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

        `Examples` bring their own labels. A plain tensor without `given` on a labelled model is
        scored under the mixture `p(x) = sum_y p(y) p(x|y)` over the training label frequencies.

        Args:
            estimator: one that `capabilities.estimators` declares for this space; None = the first.
            samples: Monte Carlo samples of the estimator (importance samples, noise levels,
                dequantisations); an exact one draws none.
            steps: of an estimator that takes some (an ODE's, a chain's); None = the model's own
                number.
            on_chunk: called with (examples scored, examples in all).

        Raises:
            Unsupported: the family has no likelihood, not this estimator, no steps for it, or a
                number without meaning.
        """
        chosen = self.estimator(estimator)
        self.capabilities.require_steps(chosen, self.space.kind, steps)
        if isinstance(x, Examples):
            if given is not None and x.given is not None:
                raise BadInput(
                    "examples with a condition of their own and a separate one", "one of them"
                )
            examples = x if self.classes else x.without_labels()
        else:
            examples = Examples(self.space.check(x), None)
        self.space.check(examples.x)
        if given is not None:
            examples = replace(examples, given=self._condition(given, len(examples), None))
        if len(examples) == 0:
            raise BadInput("an empty batch", "at least one example")
        self._require_parts(examples.given)
        refuse_observed(examples.given, "log_prob")
        marginal = (
            bool(self.classes)
            and label_of(examples.given) is None
            and not self.capabilities.null_condition
        )
        whole = score_all(self, examples, Query(chosen, samples, steps, seed, marginal), on_chunk)
        self._vouch(whole, steps)
        return replace(whole, sizes=examples.sizes, cases=examples.cases)

    @final
    @torch.no_grad()
    def terms(self, examples: Examples) -> Tensor:
        """Return the log-probability of every position given those before it, (N, D), whose sum is
        an encoded example's.

        Raises:
            Unsupported: a family without a chain rule.
        """
        if "terms" in self.capabilities.refusals:
            raise self._refusal("terms")
        self._require_parts(examples.given)

        def terms(chunk: Examples, first: int) -> Tensor:
            return self._terms(
                self.codec.encode(self.space.check(chunk.x)).value, chunk.given
            ).cpu()

        return torch.cat(of_chunks(self, examples, terms))

    @final
    @torch.no_grad()
    def encode(self, x: Tensor, given: Condition = None, seed: int = 0) -> Latent:
        """Return a code per example; `Latent.kind` says whether it is exact, a posterior draw or an
        ODE solution.

        Raises:
            Unsupported: this family has no codes on this space.
            BadInput: no condition for a model whose codes depend on the label.
        """
        kind = self.capabilities.encode.get(self.space.kind)
        if kind is None:
            raise self._refusal("encode")
        self._require_condition(given, "encode")
        self.space.check(x)
        condition = self._condition(given, len(x), Streams(seed, len(x), device=self.device))
        refuse_observed(condition, "encode")
        return Latent(codes_of(self, x, condition, seed), kind)

    @final
    @torch.no_grad()
    def decode(self, z: Tensor, given: Condition = None) -> Tensor:
        """Return the examples, in data units, that codes stand for."""
        if (
            self.space.kind not in self.capabilities.encode
            and "decode" in self.capabilities.refusals
        ):
            raise self._refusal("decode")
        self._require_condition(given, "decode")
        condition = self._condition(given, len(z), Streams(0, len(z), device=self.device))
        refuse_observed(condition, "decode")
        return examples_of(self, z, condition)

    @final
    def estimator(self, name: str | None = None) -> Estimator:
        """Return the named estimator of log p(x), or the default one.

        Raises:
            Unsupported: no likelihood at all, or no estimator of that name on this space.
        """
        return self.capabilities.estimator(self.family, self.space.kind, name)

    # ---- shared machinery

    def _condition(
        self, given: Condition, n: int, noise: Noise | None, classes: tuple[str, ...] | None = None
    ) -> Given | None:
        # a model without classes may borrow those of a classifier
        found = resolve(given, n, self.classes if classes is None else classes)
        self._require_parts(found)
        if (
            found is None
            and self.classes
            and not self.capabilities.null_condition
            and noise is not None
        ):
            found = Given(draw_labels(self.label_frequency, noise))
        return None if found is None else found.to(self.device)

    def _options(self, options: Mapping[str, Any]) -> SampleOptions:
        kind, declared = self.space.kind, self.capabilities
        conditional = bool(self.classes) or self.context is not None or self.space.prompted
        reader = OptionReader(
            self.family, declared.options, kind, self.options, declared.solver_names, conditional
        )
        return chosen_options(options, reader.with_own(self.architecture.options))

    def _require_condition(self, given: Condition, verb: str) -> None:
        # under a mixture of labels a code would mean something else with every draw
        require_condition(given, verb, bool(self.classes) and not self.capabilities.null_condition)

    def _require_parts(self, given: Given | None) -> None:
        labelled = bool(self.classes) and not self.capabilities.null_condition
        require_parts(
            given, self.capabilities.conditions, self.space, self.family, labelled, self.context
        )
