"""Rules that decide, while samples come in, whether more are worth their price."""

from workspan.named import Named

_HERE = "strategies.adaptive."

STRATEGIES: tuple[Named, ...] = (
    Named(
        "adaptive_consistency",
        _HERE + "adaptive_consistency:AdaptiveConsistency",
        "adaptive",
        "arXiv:2305.11860",
        "adaptive_consistency(n=5, threshold=0.8, batch=2, max_tokens=100)",
    ),
    Named(
        "esc",
        _HERE + "esc:EarlyStoppingConsistency",
        "adaptive",
        "arXiv:2401.10480",
        "esc(n=5, window=2, max_tokens=100)",
    ),
    Named(
        "bayesian_stopping",
        _HERE + "bayesian_stopping:BayesianStopping",
        "adaptive",
        "arXiv:2602.05395",
        "bayesian_stopping(n=4, shapes=((38, 2), (14, 13, 9)), max_tokens=100)",
    ),
    Named(
        "parallel_probe",
        _HERE + "parallel_probe:ParallelProbe",
        "adaptive",
        "arXiv:2602.03845",
        "parallel_probe(n=3, block=20, warmup=0, patience=1, stable=3, max_tokens=80)",
    ),
    Named(
        "auto",
        _HERE + "auto:Auto",
        "adaptive",
        "this package",
        "auto(n=4, max_tokens=80, probe_tokens=8)",
    ),
)
