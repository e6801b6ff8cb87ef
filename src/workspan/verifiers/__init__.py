"""Verifiers: they judge a candidate without the reference answer, on the same account."""

from workspan.named import Named

_HERE = "verifiers."

VERIFIERS = (
    Named("judge", _HERE + "judge:Judge", "parallel", "arXiv:2306.05685", "judge"),
    Named(
        "public_tests", _HERE + "tests:PublicTests", "parallel", "arXiv:2203.07814", "public_tests"
    ),
    Named(
        "plan_check", _HERE + "plan_check:PlanCheck", "parallel", "arXiv:2501.09891", "plan_check"
    ),
    Named(
        "state_value",
        _HERE + "state_value:StateValue",
        "hybrid",
        "arXiv:2305.10601",
        "state_value",
    ),
    Named("critic", _HERE + "critic:Critic", "sequential", "arXiv:2303.17651", "critic"),
    Named("answered", _HERE + "answered:Answered", "sequential", "this package", "answered"),
    Named(
        "process_reward",
        _HERE + "process_reward:ProcessReward",
        "hybrid",
        "arXiv:2305.20050",
        "process_reward",
    ),
    Named("step_judge", _HERE + "step_judge:StepJudge", "hybrid", "arXiv:2305.10601", "step_judge"),
    Named(
        "likelihood", _HERE + "likelihood:Likelihood", "parallel", "arXiv:1808.10006", "likelihood"
    ),
    Named(
        "timetable_check",
        _HERE + "timetable_check:TimetableCheck",
        "parallel",
        "arXiv:2501.09891",
        "timetable_check",
    ),
    Named("walk", _HERE + "walk:Walk", "parallel", "arXiv:2505.21825", "walk"),
)
