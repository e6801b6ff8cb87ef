"""What the field says of breadth and depth: ideas with their sources, and how they bear on others.

Facts and figures are the sources' own, in our words. Whether they hold is in no line here: that is
what was measured, and stands in the store.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from workspan.lab.map.rows import Kind

Relation: TypeAlias = Literal["supports", "qualifies", "contradicts"]


class Gap(NamedTuple):
    """Why a claim was not measured on one kind of model, and what would."""

    why: str
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Idea:
    """A node of the map."""

    id: str
    name: str
    claim: str
    source: str
    published: str
    """What the source reports."""
    gaps: Mapping[Kind, Gap] = field(default_factory=dict)
    """What is said where nothing was measured on a kind of model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """How one idea bears on another, and the experiments that test it."""

    start: str
    relation: Relation
    end: str
    why: str
    tests: tuple[str, ...]
    """By name."""


_OWN = "--engine URL --model NAME --store STORE"
_ABSENT = "this store has no measurement of it yet"
_SWEEP = "workspan runs compare SWEEP --verdicts --store STORE"


def _here(name: str) -> Gap:
    """Name the claim that measures an idea on the reasoner."""
    return Gap(_ABSENT, f"workspan claims {name} --store STORE")


def _asked(name: str) -> Gap:
    """Name the claim that measures an idea on any engine."""
    return Gap(_ABSENT, f"workspan claims {name} {_OWN}")


def _swept(strategies: str) -> Gap:
    """Name the strategies whose sweep on a model of one's own measures an idea."""
    return Gap(f"{_ABSENT}; sweep {strategies} on a model of yours: docs/howto/sweeps.md", _SWEEP)


IDEAS: tuple[Idea, ...] = (
    Idea(
        id="parallel",
        name="Parallel",
        claim=(
            "At equal work, many chains beat one that is kept going: past its natural end, or "
            "after a costly wrong start."
        ),
        source=(
            "Ghosal et al. 2025, Does Thinking More Always Help?, arXiv:2506.04210; Gomes, Selman "
            "& Kautz 1998"
        ),
        published=(
            "Votes within 16k tokens are ahead of one chain stretched to as many by 22, 9 and 20 "
            "points on GSM8K, MATH-500 and AIME24 (R1-Distill-Qwen-1.5B)."
        ),
        gaps={
            "reasoner": _here("wrong_start"),
            "model": _asked("stretched_chain"),
        },
    ),
    Idea(
        id="sequential",
        name="Sequential",
        claim=(
            "Where steps depend on one another, one chain that is long enough beats votes over "
            "shorter ones, whatever their number."
        ),
        source="Mirtaheri et al. 2025, Let Me Think!, arXiv:2505.21825",
        published=(
            "On bridge graphs the short chains that a vote needs grow exponentially with depth, "
            "while one long chain is nearly always right."
        ),
        gaps={
            "reasoner": _here("long_chain"),
            "model": _asked("natural_chain"),
        },
    ),
    Idea(
        id="hybrid",
        name="Hybrid",
        claim=(
            "A split between breadth and depth, or a search over partial steps, solves more than "
            "either pole with the same tokens."
        ),
        source=(
            "Snell et al. 2024, arXiv:2408.03314; Yao et al. 2023, Tree of Thoughts, "
            "arXiv:2305.10601"
        ),
        published=(
            "A mix of revisions and samples reaches with 64 what 256 samples reach; a tree of "
            "thoughts solves .69 of the Game of 24, chains of thought .04 (GPT-4)."
        ),
        gaps={
            "reasoner": _here("split_between"),
            "model": _swept("single, self_consistency and grid within one budget"),
        },
    ),
    Idea(
        id="evolution",
        name="Evolution",
        claim=(
            "A population that is refined by an evaluator's feedback solves more plans than "
            "independent samples."
        ),
        source="Lee et al. 2025, Evolving Deeper LLM Thinking, arXiv:2501.09891",
        published=(
            "Mind Evolution solves .96 of trips where the best of 800 solves .77 (Gemini 1.5 "
            "Flash), matched in candidates and not in tokens."
        ),
        gaps={
            "reasoner": _here("evolution_learnt"),
            "model": Gap(
                "no recording holds samples and evolution of one model at matched work",
                f"workspan claims evolution_over_sampling {_OWN}",
            ),
        },
    ),
    Idea(
        id="retrieval",
        name="Retrieval",
        claim="Several queries at once need fewer rounds of search than one at a time.",
        source="Tan et al. 2025, RAG-R1, arXiv:2507.02962",
        published=(
            "Up to three queries a round: .455 exact match on seven sets for .439 with one, in 11 "
            "% less time (Qwen2.5-7B, trained for it)."
        ),
        gaps={
            "reasoner": _here("retrieval_learnt"),
            "model": Gap(
                "no recording holds a search of one model with one query a round and several",
                f"workspan claims retrieval_rounds {_OWN}",
            ),
        },
    ),
    Idea(
        id="task_structure",
        name="Task structure",
        claim="The structure of a task decides between breadth and depth.",
        source=(
            "Mirtaheri et al. 2025, arXiv:2505.21825; Suzgun et al. 2022, BIG-Bench Hard, "
            "arXiv:2210.09261"
        ),
        published=(
            "Chains of thought lift the algorithmic tasks of BIG-Bench Hard by more than those of "
            "language (code-davinci-002)."
        ),
        gaps={
            "reasoner": _here("task_structure"),
            "model": _swept("single and self_consistency on tasks of two kinds"),
        },
    ),
    Idea(
        id="training_format",
        name="Training format",
        claim=(
            "A model trained on multiple choice explores several paths first, one trained on free "
            "form follows one: the format of training chooses, not the task alone."
        ),
        source="Lee et al. 2025, The CoT Encyclopedia, arXiv:2505.10185",
        published=(
            "The same problems as multiple choice or free form: several paths in 75 % of chains "
            "against 57 %, and chains half as long (7B, reinforced)."
        ),
        gaps={
            "reasoner": _here("training_format"),
            "model": Gap(
                "needs two models that differ in the format of their training alone: no recording "
                "is of such a pair, and another format of the prompt is not one of training",
                "workspan claims training_format --weights FOLDER --store STORE",
            ),
        },
    ),
    Idea(
        id="serial_scaling",
        name="Serial scaling",
        claim=(
            "Inherently serial problems need steps one after another: direct answers fail, and "
            "votes over direct answers too."
        ),
        source="Liu et al. 2025, The Serial Scaling Hypothesis, arXiv:2507.12549",
        published=(
            "A fixed number of forward passes stays within TC0; a chain whose length grows with "
            "the problem does not (theory, under TC0 unequal to its supersets)."
        ),
        gaps={
            "reasoner": _here("serial_scaling"),
            "model": _swept("self_consistency(max_tokens=8) and single"),
        },
    ),
    Idea(
        id="overthinking",
        name="Overthinking",
        claim="Past a best length, thinking longer lowers accuracy.",
        source=(
            "Ghosal et al. 2025, arXiv:2506.04210; Hassid et al. 2025, Don't Overthink it, "
            "arXiv:2505.17813"
        ),
        published=(
            "A 1.5B model kept going on GSM8K: .82 left alone, .87 at its best, .70 at 16k tokens; "
            "the shortest chain of a question is up to 34 % more accurate than the longest."
        ),
        gaps={
            "reasoner": _here("longer_walks"),
            "model": _asked("overthinking"),
        },
    ),
    Idea(
        id="selected_votes",
        name="Selected votes",
        claim=(
            "Which chains vote decides more than how many: those that end early or agree are right "
            "more often, so a weighted or cut vote passes the full one."
        ),
        source=(
            "Hassid et al. 2025, arXiv:2505.17813; Fu et al. 2025, Deep Think with Confidence, "
            "arXiv:2508.15260"
        ),
        published="The vote of the first three to end beats the full vote at every budget.",
        gaps={
            "reasoner": _here("early_enders"),
            "model": _swept("self_consistency and short_m_at_k"),
        },
    ),
    Idea(
        id="effort",
        name="Effort",
        claim=(
            "A higher effort of thinking is the cheaper dial: with no more tokens, one sample at a "
            "high effort beats votes at a lower one."
        ),
        source="Snell et al. 2024, arXiv:2408.03314; Epoch AI's public logs (CC BY 4.0)",
        published=(
            "Providers sell effort as the one dial; their own curves rise, flatten, and sometimes "
            "fall at the top."
        ),
        gaps={
            "reasoner": Gap(
                "no setting tells it to think less: its formats dfs and path end after about as "
                "many tokens; nearest is a cap on the chain, which long_chain measures",
                "workspan claims long_chain --store STORE",
            ),
            "model": _swept("single and self_consistency at efforts low and high"),
        },
    ),
)
"""In the order in which they stand around the map."""

EDGES: tuple[Edge, ...] = (
    Edge(
        start="sequential",
        relation="contradicts",
        end="parallel",
        why="Up to its natural end one chain is ahead of votes over cut ones.",
        tests=(
            *("long_chain", "votes_needed", "votes_needed_bridge", "natural_chain"),
            *("connectivity_english", "chain_within_its_end"),
        ),
    ),
    Edge(
        start="overthinking",
        relation="supports",
        end="parallel",
        why="What a stretched chain loses, votes of the same work keep.",
        tests=("stretched_chain", "votes_past_its_end"),
    ),
    Edge(
        start="overthinking",
        relation="qualifies",
        end="sequential",
        why="Longer is better up to a best length only.",
        tests=("overthinking", "longer_chains", "longer_walks"),
    ),
    Edge(
        start="overthinking",
        relation="qualifies",
        end="effort",
        why="The highest effort need not be the best.",
        tests=("effort_past_best",),
    ),
    Edge(
        start="serial_scaling",
        relation="supports",
        end="sequential",
        why="Some problems can't be solved without steps.",
        tests=("serial_scaling", "direct_or_chain"),
    ),
    Edge(
        start="serial_scaling",
        relation="contradicts",
        end="parallel",
        why="No number of direct answers makes up for a missing step.",
        tests=("serial_scaling",),
    ),
    Edge(
        start="task_structure",
        relation="qualifies",
        end="parallel",
        why="Tries apart pay where a start may be wrong, and not where guesses repeat.",
        tests=("wrong_start", "guessing_tokens", "guessing_latency"),
    ),
    Edge(
        start="task_structure",
        relation="qualifies",
        end="sequential",
        why="Depth pays where steps depend on one another.",
        tests=("task_structure", "gain_by_task"),
    ),
    Edge(
        start="task_structure",
        relation="qualifies",
        end="retrieval",
        why="On a pure chain of facts several queries at once only cost more.",
        tests=("retrieval_chains",),
    ),
    Edge(
        start="selected_votes",
        relation="qualifies",
        end="parallel",
        why="More votes help only where right ones outnumber wrong ones; choosing among them does.",
        tests=(
            "wrong_majority",
            "early_enders",
            "early_weighted",
            "first_to_end",
            "learnt_weights",
        ),
    ),
    Edge(
        start="overthinking",
        relation="supports",
        end="selected_votes",
        why="If long chains are wrong more often, early ones should weigh more.",
        tests=("longer_chains", "early_weighted", "first_to_end"),
    ),
    Edge(
        start="hybrid",
        relation="qualifies",
        end="parallel",
        why="Search over partial steps passes independent samples.",
        tests=("tree_search", "split_between"),
    ),
    Edge(
        start="hybrid",
        relation="qualifies",
        end="sequential",
        why="On mixed problems a split between the poles passes the one chain, too.",
        tests=("split_between",),
    ),
    Edge(
        start="evolution",
        relation="contradicts",
        end="parallel",
        why="At matched work a refined population passes independent samples.",
        tests=("evolution_over_sampling", "evolution_learnt"),
    ),
    Edge(
        start="evolution",
        relation="supports",
        end="hybrid",
        why="A population is breadth, its refinement depth: it should pass revision alone.",
        tests=("evolution_over_revision",),
    ),
    Edge(
        start="evolution",
        relation="supports",
        end="sequential",
        why="Tries that hear what was wrong pass tries that do not.",
        tests=("evolution_by_feedback", "feedback_over_retry"),
    ),
    Edge(
        start="retrieval",
        relation="supports",
        end="parallel",
        why="Asked for at once, facts come in fewer rounds.",
        tests=("retrieval_rounds", "retrieval_learnt"),
    ),
    Edge(
        start="training_format",
        relation="qualifies",
        end="task_structure",
        why="What a model was taught chooses between breadth and depth, too.",
        tests=("training_format", "training_format_reinforced"),
    ),
    Edge(
        start="parallel",
        relation="qualifies",
        end="effort",
        why="Above the highest effort votes are what more tokens buy.",
        tests=("votes_past_effort",),
    ),
    Edge(
        start="effort",
        relation="supports",
        end="sequential",
        why="Told to think longer, one sample passes votes of the same work.",
        tests=("effort_over_votes",),
    ),
)
