from __future__ import annotations

import workspan


def test_public_names_are_these() -> None:
    assert workspan.__all__ == [
        "Answer", "Answers", "Auto", "BestOfN", "Budget", "BudgetExceeded",
        "BudgetForcing", "Candidate", "Capability", "Card", "Compared", "Embedded",
        "Endpoint", "Engine", "EngineError", "EngineInfo", "Grid", "Journal",
        "JournalFile", "Ladder", "Message", "MindEvolution", "Price", "Problem",
        "Request", "Result", "Retrieve", "Sample", "Score", "SelfConsistency",
        "SelfRevision", "Session", "Single", "Strategy", "Usage", "Verifier",
        "WeightedBestOfN", "Which", "WorkspanError", "calibrate", "certify", "compare", "estimate",
        "open_engine", "parse_strategy", "parse_verifier", "read", "replay", "run",
        "run_sync", "solve", "solve_many", "sweep", "which",
    ]  # fmt: skip


def test_every_public_name_loads() -> None:
    for name in workspan.__all__:
        assert getattr(workspan, name) is not None
