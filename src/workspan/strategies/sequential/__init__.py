"""Depth: one line of thought, carried further or gone over again."""

from workspan.named import Named

_HERE = "strategies.sequential."

STRATEGIES = (
    Named(
        "single",
        _HERE + "single:Single",
        "sequential",
        "arXiv:2201.11903",
        "single(max_tokens=300)",
    ),
    Named(
        "budget_forcing",
        _HERE + "budget_forcing:BudgetForcing",
        "sequential",
        "arXiv:2501.19393",
        "budget_forcing(thinking=120, waits=2)",
    ),
    Named(
        "forced_choice",
        _HERE + "forced_choice:ForcedChoice",
        "sequential",
        "arXiv:2505.21825",
        "forced_choice(choices=['3', '4'], n=2, thinking=40, draws=3)",
    ),
    Named(
        "self_revision",
        _HERE + "self_revision:SelfRevision",
        "sequential",
        "arXiv:2408.03314",
        "self_revision(turns=2, max_tokens=200)",
    ),
    Named(
        "self_refine",
        _HERE + "self_refine:SelfRefine",
        "sequential",
        "arXiv:2303.17651",
        "self_refine(turns=2, verifier=critic(max_tokens=60), max_tokens=120)",
    ),
    Named(
        "sequential_revision",
        _HERE + "sequential_revision:SequentialRevision",
        "sequential",
        "arXiv:2501.09891",
        "sequential_revision(threads=2, turns=3, max_tokens=120)",
    ),
    Named(
        "stepwise",
        _HERE + "stepwise:Stepwise",
        "sequential",
        "arXiv:2305.20050",
        "stepwise(max_steps=3, retries=1, step_tokens=60)",
    ),
    Named(
        "luby_restarts",
        _HERE + "luby_restarts:LubyRestarts",
        "sequential",
        "doi:10.1016/0020-0190(93)90029-9",
        "luby_restarts(unit=30, restarts=5)",
    ),
    Named(
        "re_reading",
        _HERE + "re_reading:ReReading",
        "sequential",
        "arXiv:2309.06275",
        "re_reading(self_consistency(n=2, max_tokens=120))",
    ),
    Named(
        "plan_and_execute",
        _HERE + "plan_and_execute:PlanAndExecute",
        "sequential",
        "arXiv:2305.04091",
        "plan_and_execute(plan_tokens=100, max_tokens=150)",
    ),
)
