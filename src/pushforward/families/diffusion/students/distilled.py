"""A student of a diffusion model: its samples in one to four network calls, and nothing else of it.

Two ideas: the student is the teacher's network with a lesson in the place of an objective; a
teacher is lent for training and is no part of the student, whose run directory does not need it
afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, final

from pydantic import Field
from torch import Tensor, nn

from pushforward.core.choice import Choice
from pushforward.core.codec import Codec
from pushforward.core.conditions import forgotten
from pushforward.core.curve import Curve, mean_curve
from pushforward.core.errors import BadInput, Unsupported
from pushforward.core.given import Given
from pushforward.core.loss import Loss
from pushforward.core.model import GenerativeModel
from pushforward.core.noise import Noise
from pushforward.core.options import SampleOptions
from pushforward.core.registry import Registry
from pushforward.core.space import Space
from pushforward.core.spec import Config, OneOf
from pushforward.core.walk import Walk
from pushforward.families.diffusion.config import DiffusionConfig
from pushforward.families.diffusion.denoisers.denoiser import Denoiser
from pushforward.families.diffusion.denoisers.guidance import Guided
from pushforward.families.diffusion.gaussian import Gaussian
from pushforward.families.diffusion.model import Diffusion
from pushforward.families.diffusion.students.consistency import Consistency
from pushforward.families.diffusion.students.distilled_card import CAPABILITIES, CARD
from pushforward.families.diffusion.students.lesson import Lesson, bound
from pushforward.families.diffusion.students.progressive import Progressive


@dataclass(frozen=True)
class DistillationMethod(Choice):
    """How few steps are taught.

    Attributes:
        lesson: what takes the place of an objective.
        intervals: how finely the teacher's path is cut where nobody says.
        train: settings of training that suit it.
        steers_at_one: samples of one step steer, which are a function of the first noise alone;
            else those of all its steps.
    """

    lesson: type[Lesson]
    intervals: int
    train: Mapping[str, Any] = field(default_factory=dict)
    steers_at_one: bool = False


METHODS: Registry[DistillationMethod] = Registry(
    "method",
    of="pushforward.families.diffusion.students.distilled:DistillationMethod",
    choices=(
        DistillationMethod(
            "consistency",
            "every point of the teacher's path is taken to its end",
            Consistency,
            intervals=16,
            steers_at_one=True,
        ),
        DistillationMethod(
            "progressive",
            "two of the teacher's steps become one, again and again",
            Progressive,
            intervals=8,
            # of the peak: a cosine to nothing would leave the last stage little to learn with
            train={"final_learning_rate": 0.3},
        ),
    ),
)


class DistilledConfig(Config):
    """What is taught, and the settings of the teacher, whose network the student copies."""

    method: Annotated[str, OneOf(METHODS)] = Field(
        "consistency", description="how few steps are taught"
    )
    calls: int = Field(2, ge=1, le=16, description="steps of a sample, each one network call")
    guidance: float = Field(
        1.0, description="classifier-free guidance of the teacher, part of the student for good"
    )
    intervals: int | None = Field(
        None,
        ge=2,
        description="how finely the teacher's path is cut; None: 16, of which a progressive student begins with 8",
    )
    diffusion: DiffusionConfig = Field(
        default_factory=lambda: DiffusionConfig.model_validate({}),
        description="the teacher's settings",
    )


@final
class Distilled(GenerativeModel):
    """A few-step student of Gaussian diffusion; `learn_from` lends it the teacher that `losses`
    needs.

    Example:
        >>> from pushforward.core.space import Points
        >>> student = Distilled(Points(2), DistilledConfig(diffusion=DiffusionConfig(width=16, depth=1)))
        >>> student.walk(3).calls, student.walk(3, steps=4).calls
        (2.0, 4.0)
    """

    family = "distilled"
    capabilities, card, config_type, presets = CAPABILITIES, CARD, DistilledConfig, {}

    def __init__(
        self, space: Space, config: DistilledConfig, classes: tuple[str, ...] = ()
    ) -> None:
        super().__init__(space, config, classes)
        self.process = Gaussian(space, config.diffusion, len(classes))
        method, path = METHODS[config.method], self.process.path
        self.lesson = method.lesson(
            path, config.calls, config.intervals or method.intervals, self.process.denoiser
        )
        self.dropped = config.diffusion.drop_condition
        self._lent: list[Diffusion] = []  # in a list, so that it is no part of this module
        self._guidance = config.guidance

    def learn_from(self, teacher: Diffusion) -> None:
        """Begin with the weights of a teacher, and ask it in training.

        Raises:
            BadInput: a teacher of another space or other classes.
        """
        if teacher.space != self.space or teacher.classes != self.classes:
            raise BadInput(
                f"a teacher of {teacher.space}", f"one of {self.space} with the same classes"
            )
        assert isinstance(teacher.process, Gaussian)
        self.process.load_state_dict(teacher.process.state_dict())
        self._lent = [teacher]
        self._take_scales()

    def _take_scales(self) -> None:
        # what the teacher says about a tensor holds in its own encoding of the data only
        (teacher,) = self._lent
        self.codec.load_state_dict(teacher.codec.state_dict())
        self.label_frequency.copy_(teacher.label_frequency)

    def _teacher(self) -> Denoiser:
        if not self._lent:
            raise Unsupported(
                "training a student alone", "its teacher", "`pushforward distil RUN` lends it one"
            )
        process = self._lent[0].process
        assert isinstance(process, Gaussian)
        return (
            process.denoiser if self._guidance == 1.0 else Guided(process.denoiser, self._guidance)
        )

    def _codec(self) -> Codec:
        return Gaussian.codec(self.space)

    def networks(self) -> dict[str, nn.Module]:
        """Return what may run in lower precision: the student's network, and that of a teacher
        while there is one."""
        lent = {
            f"teacher {name}": net
            for teacher in self._lent
            for name, net in teacher.networks().items()
        }
        return {**self.process.networks(), **lent}

    def step_taken(self, fraction: float = 0.0) -> None:
        """Go to the next stage where one is due."""
        self.lesson.advance(self.process.denoiser, fraction)

    def _prepare(self, x: Tensor, given: Given | None) -> None:
        if self._lent:
            self._take_scales()
        else:
            self.process._prepare(x, given)

    def _losses(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Loss]:
        teacher = self._teacher()
        if given is not None:
            given = forgotten(given, self.dropped, noise.uniform())
        yield Loss(
            self.lesson.loss(x, teacher, self.process.denoiser, given, noise),
            "model",
            self.lesson.name,
        )

    def _walk(self, noise: Noise, given: Given | None, options: SampleOptions) -> Walk[Any]:
        student, steps = bound(self.process.denoiser, given), self.lesson.steps(options.steps)
        return self.lesson.sampler(student, lambda: noise.normal(*self.space.event_shape), steps)

    def _curves(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Curve]:
        levels, ends = self.lesson.ends(bound(self.process.denoiser, given), x, noise)
        d2 = float(self.process.denoiser.preconditioner.sigma_data) ** 2
        y, stderr = mean_curve((ends - x).square().flatten(2).mean(2).T / (2.0 * d2))
        s2, low = levels.double() ** 2, self.process.path.sigma_min**2
        # the flow of N(m, d^2) from s to sigma_min scales y - m by g
        g = ((d2 + low) / (d2 + s2)).sqrt()
        yield Curve(
            "distance of the end from the data by noise level",
            "noise level s",
            "E|x - f(x + s eps)|^2 / 2 d^2, per dimension",
            tuple(levels.tolist()),
            y,
            "1 at large noise: the end is a fresh draw, as far from x as another example; 1/2 there means that ends are averages, "
            "blurred or collapsed.",
            stderr,
            tuple(((d2 * (g - 1.0) ** 2 + g**2 * s2) / (2.0 * d2)).tolist()),
            "flow of Gaussian data",
            log_x=True,
        )
