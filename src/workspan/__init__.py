"""Workspan: spend a test-time budget in breadth, in depth, or both, under one exact account.

Public names are loaded when first used, so that the import costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workspan.app.answers import Answers as Answers
    from workspan.app.answers import Compared as Compared
    from workspan.app.calibrating import calibrate as calibrate
    from workspan.app.certifying import certify as certify
    from workspan.app.comparing import compare as compare
    from workspan.app.comparing import estimate as estimate
    from workspan.app.engines import open_engine as open_engine
    from workspan.app.replaying import replay as replay
    from workspan.app.solving import solve as solve
    from workspan.app.solving import solve_many as solve_many
    from workspan.app.sweeping import sweep as sweep
    from workspan.app.which import Which as Which
    from workspan.app.which import which as which
    from workspan.core.engine import Capability as Capability
    from workspan.core.engine import Engine as Engine
    from workspan.core.engine import EngineInfo as EngineInfo
    from workspan.core.engine import Price as Price
    from workspan.core.journal import Journal as Journal
    from workspan.core.session import Score as Score
    from workspan.core.session import Session as Session
    from workspan.core.session import Strategy as Strategy
    from workspan.core.session import Verifier as Verifier
    from workspan.data.budget import Budget as Budget
    from workspan.data.types import Answer as Answer
    from workspan.data.types import Candidate as Candidate
    from workspan.data.types import Message as Message
    from workspan.data.types import Problem as Problem
    from workspan.data.types import Request as Request
    from workspan.data.types import Sample as Sample
    from workspan.data.types import Usage as Usage
    from workspan.engines.embedded import Embedded as Embedded
    from workspan.engines.endpoint import Endpoint as Endpoint
    from workspan.errors import BudgetExceeded as BudgetExceeded
    from workspan.errors import EngineError as EngineError
    from workspan.errors import WorkspanError as WorkspanError
    from workspan.registry.card import Card as Card
    from workspan.runner import Result as Result
    from workspan.runner import run as run
    from workspan.runner import run_sync as run_sync
    from workspan.spec import parse_strategy as parse_strategy
    from workspan.spec import parse_verifier as parse_verifier
    from workspan.store.journals import JournalFile as JournalFile
    from workspan.strategies.adaptive.ladder import Ladder as Ladder
    from workspan.strategies.auto.auto import Auto as Auto
    from workspan.strategies.evolutionary.mind_evolution import MindEvolution as MindEvolution
    from workspan.strategies.hybrid.grid import Grid as Grid
    from workspan.strategies.parallel.best_of_n import BestOfN as BestOfN
    from workspan.strategies.parallel.self_consistency import SelfConsistency as SelfConsistency
    from workspan.strategies.parallel.weighted_best_of_n import WeightedBestOfN as WeightedBestOfN
    from workspan.strategies.reading import read as read
    from workspan.strategies.retrieval.retrieve import Retrieve as Retrieve
    from workspan.strategies.sequential.budget_forcing import BudgetForcing as BudgetForcing
    from workspan.strategies.sequential.self_revision import SelfRevision as SelfRevision
    from workspan.strategies.sequential.single import Single as Single

__version__ = "0.1.0"

_HOMES = {
    "app.answers": ("Answers", "Compared"),
    "app.calibrating": ("calibrate",),
    "app.certifying": ("certify",),
    "app.comparing": ("compare", "estimate"),
    "app.engines": ("open_engine",),
    "app.replaying": ("replay",),
    "app.solving": ("solve", "solve_many"),
    "app.sweeping": ("sweep",),
    "app.which": ("Which", "which"),
    "data.budget": ("Budget",),
    "registry.card": ("Card",),
    "core.engine": ("Capability", "Engine", "EngineInfo", "Price"),
    "engines.embedded": ("Embedded",),
    "engines.endpoint": ("Endpoint",),
    "errors": ("BudgetExceeded", "EngineError", "WorkspanError"),
    "core.journal": ("Journal",),
    "runner": ("Result", "run", "run_sync"),
    "core.session": ("Score", "Session", "Strategy", "Verifier"),
    "spec": ("parse_strategy", "parse_verifier"),
    "store.journals": ("JournalFile",),
    "strategies.adaptive.ladder": ("Ladder",),
    "strategies.auto.auto": ("Auto",),
    "strategies.evolutionary.mind_evolution": ("MindEvolution",),
    "strategies.parallel.best_of_n": ("BestOfN",),
    "strategies.reading": ("read",),
    "strategies.retrieval.retrieve": ("Retrieve",),
    "strategies.sequential.budget_forcing": ("BudgetForcing",),
    "strategies.hybrid.grid": ("Grid",),
    "strategies.parallel.self_consistency": ("SelfConsistency",),
    "strategies.sequential.self_revision": ("SelfRevision",),
    "strategies.sequential.single": ("Single",),
    "strategies.parallel.weighted_best_of_n": ("WeightedBestOfN",),
    "data.types": ("Answer", "Candidate", "Message", "Problem", "Request", "Sample", "Usage"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)  # noqa: PLE0605  # one table holds the public names and their homes


def __getattr__(name: str) -> object:
    """Load a public name from its home."""
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'workspan' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"workspan.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return [*__all__, "__version__"]
