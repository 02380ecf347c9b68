"""What a few-step student declares about itself."""

from __future__ import annotations

from pushforward.core.capabilities import Capabilities, Card, Refusal
from pushforward.families.diffusion.options import STEPS

_SCORE = "score the teacher: `pushforward score` on the run that the manifest names as `teacher`"
_ENCODE = "encode with the teacher, whose flow can be walked both ways"

CAPABILITIES = Capabilities(
    {"points": (), "image": ()},
    encode={},
    sampling_cost="1 to 4: the number of steps, 2 by default",
    held_out="",
    options=(STEPS,),
    null_condition=True,
    refusals={
        "log_prob": Refusal(
            "a student is a map from noise to data without a density: it denoises no longer, so that neither the bound nor "
            "the flow of its teacher holds for what it draws",
            _SCORE,
        ),
        "encode": Refusal("a leap over all noise levels has no inverse", _ENCODE),
        "decode": Refusal("without codes there is nothing to decode", _ENCODE),
    },
)

CARD = Card(
    title="Few-step student of a diffusion model: leaps from noise to data that its teacher walks",
    optimises=(
        "Agreement with the teacher: that leaps from two neighbouring points of the teacher's path end in the same place "
        "(consistency), or that one leap ends where two of its own half as long did (progressive)."
    ),
    objective=(
        "consistency: min E d(f(y_s, s), f(y_r, r))/(s - r), y_r one solver step of the teacher below y_s; "
        "progressive: min E max(1/s^2, 1) |D* - D(y_s, s)|^2, D* what two of the teacher's steps name as clean data"
    ),
    number_means=(
        "Nothing by itself: the loss compares the student with itself, and falls when both agree on a blur. What steers is the "
        "distance of its samples from the teacher's, both drawn from the same noise. There is no likelihood."
    ),
    look_at=(
        "a distance between samples and data at 1, 2 and 4 calls, beside the teacher's at the same calls and at its best",
        "the distance to the teacher's samples from the same noise",
        "distance of the end from the data at large noise: half of what it should be means blur",
    ),
    may_go_wrong=(
        "blurred or collapsed samples when training was too short: errors add up from the smallest noise to the largest",
        "it inherits what its teacher gets wrong, and cannot be better than it but by luck",
        "guidance is fixed at distillation: no weight can be chosen afterwards",
        "a progressive student works with the number of steps it was made for, and with no other",
    ),
    strength="Samples nearly as good as the teacher's in one to four network calls.",
    cost="The teacher's training first; then three or four network calls of the teacher or the student per training example; "
    "sampling costs one call a step.",
    references=(
        (
            "salimans2022",
            "Salimans, Ho: Progressive Distillation for Fast Sampling, ICLR 2022, arXiv:2202.00512",
        ),
        (
            "song2023",
            "Song, Dhariwal, Chen, Sutskever: Consistency Models, ICML 2023, arXiv:2303.01469",
        ),
        (
            "song2024",
            "Song, Dhariwal: Improved Techniques for Training Consistency Models, ICLR 2024, arXiv:2310.14189",
        ),
        (
            "geng2024",
            "Geng, Pokle, Luo, Lin, Kolter: Consistency Models Made Easy, 2024, arXiv:2406.14548",
        ),
        (
            "karras2022",
            "Karras, Aittala, Aila, Laine: Elucidating the Design Space, NeurIPS 2022, arXiv:2206.00364",
        ),
        ("ho2022", "Ho, Salimans: Classifier-Free Diffusion Guidance, 2022, arXiv:2207.12598"),
    ),
)
