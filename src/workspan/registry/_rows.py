"""Our own rows of the registry: what each name stands for, as an entry point would say it.

Strings alone: nothing is imported for them. The order is that of the lists.
"""

from __future__ import annotations

from collections.abc import Mapping

_STRATEGIES = {
    "self_consistency": "workspan.strategies.parallel.self_consistency:SelfConsistency",
    "fixed_split": "workspan.strategies.parallel.fixed_split:FixedSplit",
    "best_of_n": "workspan.strategies.parallel.best_of_n:BestOfN",
    "weighted_best_of_n": "workspan.strategies.parallel.weighted_best_of_n:WeightedBestOfN",
    "short_m_at_k": "workspan.strategies.parallel.short_m_at_k:ShortMAtK",
    "confidence_vote": "workspan.strategies.parallel.confidence_vote:ConfidenceVote",
    "deepconf_offline": "workspan.strategies.parallel.deepconf_offline:DeepConfOffline",
    "deepconf_online": "workspan.strategies.parallel.deepconf_online:DeepConfOnline",
    "mixture_of_agents": "workspan.strategies.parallel.mixture_of_agents:MixtureOfAgents",
    "universal_self_consistency": (
        "workspan.strategies.parallel.universal_self_consistency:UniversalSelfConsistency"
    ),
    "genselect": "workspan.strategies.parallel.genselect:GenSelect",
    "bradley_terry": "workspan.strategies.parallel.bradley_terry:BradleyTerry",
    "recursive_tournament": (
        "workspan.strategies.parallel.recursive_tournament:RecursiveTournament"
    ),
    "weighted_vote": "workspan.strategies.parallel.weighted_vote:WeightedVote",
    "single": "workspan.strategies.sequential.single:Single",
    "budget_forcing": "workspan.strategies.sequential.budget_forcing:BudgetForcing",
    "forced_choice": "workspan.strategies.sequential.forced_choice:ForcedChoice",
    "self_revision": "workspan.strategies.sequential.self_revision:SelfRevision",
    "self_refine": "workspan.strategies.sequential.self_refine:SelfRefine",
    "sequential_revision": (
        "workspan.strategies.sequential.sequential_revision:SequentialRevision"
    ),
    "stepwise": "workspan.strategies.sequential.stepwise:Stepwise",
    "step_votes": "workspan.strategies.sequential.step_votes:StepVotes",
    "luby_restarts": "workspan.strategies.sequential.luby_restarts:LubyRestarts",
    "re_reading": "workspan.strategies.sequential.re_reading:ReReading",
    "plan_and_execute": "workspan.strategies.sequential.plan_and_execute:PlanAndExecute",
    "grid": "workspan.strategies.hybrid.grid:Grid",
    "ab_mcts": "workspan.strategies.hybrid.ab_mcts:AbMcts",
    "mcts": "workspan.strategies.hybrid.mcts:Mcts",
    "best_first": "workspan.strategies.hybrid.best_first:BestFirst",
    "tot_bfs": "workspan.strategies.hybrid.tot_bfs:TotBfs",
    "tot_dfs": "workspan.strategies.hybrid.tot_dfs:TotDfs",
    "pdr": "workspan.strategies.hybrid.pdr:PDR",
    "cepo": "workspan.strategies.hybrid.cepo:CePO",
    "beam_search": "workspan.strategies.hybrid.beam_search:BeamSearch",
    "dvts": "workspan.strategies.hybrid.dvts:Dvts",
    "rebase": "workspan.strategies.hybrid.rebase:Rebase",
    "dora": "workspan.strategies.hybrid.dora:Dora",
    "particle_filter": "workspan.strategies.hybrid.particle_filter:ParticleFilter",
    "particle_gibbs": "workspan.strategies.hybrid.particle_gibbs:ParticleGibbs",
    "rsa": "workspan.strategies.hybrid.rsa:RecursiveSelfAggregation",
    "debate": "workspan.strategies.hybrid.debate:Debate",
    "plan_search": "workspan.strategies.hybrid.plan_search:PlanSearch",
    "ab_mcts_m": "workspan.strategies.hybrid.ab_mcts_m:AbMctsM",
    "mind_evolution": "workspan.strategies.evolutionary.mind_evolution:MindEvolution",
    "retrieve": "workspan.strategies.retrieval.retrieve:Retrieve",
    "adaptive_consistency": (
        "workspan.strategies.adaptive.adaptive_consistency:AdaptiveConsistency"
    ),
    "esc": "workspan.strategies.adaptive.esc:EarlyStoppingConsistency",
    "bayesian_stopping": "workspan.strategies.adaptive.bayesian_stopping:BayesianStopping",
    "parallel_probe": "workspan.strategies.adaptive.parallel_probe:ParallelProbe",
    "cmc": "workspan.strategies.adaptive.cmc:Cmc",
    "bayes_factor": "workspan.strategies.adaptive.bayes_factor:BayesFactor",
    "ahead_by": "workspan.strategies.adaptive.ahead_by:AheadBy",
    "mmc": "workspan.strategies.adaptive.mmc:Mmc",
    "ladder": "workspan.strategies.adaptive.ladder:Ladder",
    "certified_vote": "workspan.strategies.adaptive.certified_vote:CertifiedVote",
    "auto": "workspan.strategies.auto.auto:Auto",
    "then": "workspan.strategies.combined.then:Then",
    "fallback": "workspan.strategies.combined.fallback:Fallback",
    "best": "workspan.strategies.combined.best:Best",
    "portfolio": "workspan.strategies.combined.portfolio:Portfolio",
}
_VERIFIERS = {
    "judge": "workspan.verifiers.judge:Judge",
    "public_tests": "workspan.verifiers.tests:PublicTests",
    "patch_tests": "workspan.verifiers.patch_tests:PatchTests",
    "plan_check": "workspan.verifiers.plan_check:PlanCheck",
    "state_value": "workspan.verifiers.state_value:StateValue",
    "critic": "workspan.verifiers.critic:Critic",
    "answered": "workspan.verifiers.answered:Answered",
    "process_reward": "workspan.verifiers.process_reward:ProcessReward",
    "step_judge": "workspan.verifiers.step_judge:StepJudge",
    "likelihood": "workspan.verifiers.likelihood:Likelihood",
}
_ENGINES = {
    "embedded": "workspan.engines.factories:embedded",
    "http": "workspan.engines.factories:http",
    "reward": "workspan.engines.factories:reward",
    "classify": "workspan.engines.factories:classify",
    "rerank": "workspan.engines.factories:rerank",
    "rollout": "workspan.engines.rollout.opener:rollout",
    "pool": "workspan.spec.pools:pool",
    "scripted": "workspan.testing.strategy_suite:scripted",
}
_TASKS = {
    "demo": "workspan.tasks.demo:Demo",
    "hops": "workspan.tasks.hops:Hops",
    "gsm8k": "workspan.tasks.benchmarks:gsm8k",
    "math500": "workspan.tasks.benchmarks:math500",
    "aime": "workspan.tasks.benchmarks:aime",
    "bbh": "workspan.tasks.benchmarks:bbh",
    "gpqa_diamond": "workspan.tasks.benchmarks:gpqa_diamond",
    "trip_planning": "workspan.tasks.planning.sets:TRIP_PLANNING",
    "meeting_planning": "workspan.tasks.planning.sets:MEETING_PLANNING",
    "calendar_scheduling": "workspan.tasks.planning.sets:CALENDAR_SCHEDULING",
    "steg_poet": "workspan.tasks.planning.sets:STEG_POET",
}
_GRADERS = {
    "equivalence": "workspan.tasks.graders.equivalence:Equivalence",
    "exact_match": "workspan.tasks.graders.overlap:ExactMatch",
    "f1": "workspan.tasks.graders.overlap:F1",
    "code": "workspan.tasks.graders.code:Code",
}
_READERS: Mapping[str, str] = {}
_COMMANDS = {
    "solve": "workspan.cli.solve:solve",
    "rollouts": "workspan.cli.rollouts:rollouts",
    "compare": "workspan.cli.compare:compare",
    "replay": "workspan.cli.replay:replay",
    "sweep": "workspan.cli.sweep:sweep",
    "runs": "workspan.cli.runs:runs",
    "calibrate": "workspan.cli.calibrate:calibrate",
    "which": "workspan.cli.which:which",
    "certify": "workspan.cli.certify:certify",
    "label": "workspan.cli.label:label",
    "explain": "workspan.cli.explain:explain",
    "read": "workspan.cli.read:read",
    "claims": "workspan.cli.claims:claims",
    "map": "workspan.cli.map:map_",
    "strategies": "workspan.cli.lists:strategies",
    "engines": "workspan.cli.lists:engines",
    "verifiers": "workspan.cli.lists:verifiers",
    "graders": "workspan.cli.lists:graders",
    "readers": "workspan.cli.lists:readers",
    "tasks": "workspan.cli.lists:tasks",
    "models": "workspan.cli.lists:models",
    "serve": "workspan.cli.serve:serve",
    "keys": "workspan.cli.keys:keys",
    "advise": "workspan.cli.advise:advise",
    "mcp": "workspan.cli.mcp:mcp",
}
_CLAIMS = {
    "stretched_chain": "workspan.claims.stretched_chain:CLAIM",
    "natural_chain": "workspan.claims.natural_chain:CLAIM",
    "overthinking": "workspan.claims.overthinking:CLAIM",
    "connectivity_english": "workspan.claims.connectivity_english:CLAIM",
    "retrieval_rounds": "workspan.claims.retrieval_rounds:CLAIM",
    "retrieval_chains": "workspan.claims.retrieval_chains:CLAIM",
    "evolution_over_sampling": "workspan.claims.evolution_over_sampling:CLAIM",
    "evolution_over_revision": "workspan.claims.evolution_over_revision:CLAIM",
    "evolution_by_feedback": "workspan.claims.evolution_by_feedback:CLAIM",
}

ROWS: Mapping[str, Mapping[str, str]] = {
    "strategies": _STRATEGIES,
    "engines": _ENGINES,
    "verifiers": _VERIFIERS,
    "graders": _GRADERS,
    "readers": _READERS,
    "tasks": _TASKS,
    "commands": _COMMANDS,
    "claims": _CLAIMS,
}
"""``module:Name`` by group and name."""

OFFICIAL: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "workspan-evidence": {
        "engines": ("reasoner", "simulated_planner", "simulated_searcher"),
        "verifiers": ("timetable_check", "walk"),
        "tasks": (
            *("path", "deep", "bridge", "heavy", "rule110", "compose", "parity", "majority"),
            "timetable",
        ),
        "claims": (
            *("votes_needed", "votes_needed_bridge", "long_chain", "wrong_start"),
            *("wrong_majority", "guessing_tokens", "guessing_latency", "retrieval_learnt"),
            *("serial_scaling", "training_format", "training_format_reinforced"),
            *("task_structure", "evolution_learnt"),
            *("split_between", "early_enders", "longer_walks"),
        ),
    },
}
"""The names that this project's other distributions bring as plug-ins, by distribution and group.

Nothing of them is here but the names: so that one that is not installed can be said to be missing,
and so that nobody else's plug-in takes its place.
"""
