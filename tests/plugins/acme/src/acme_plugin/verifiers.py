"""A verifier: a plain function."""

from workspan import Candidate, Problem


def shouting(problem: Problem, candidate: Candidate) -> dict[str, object]:
    """Pass what is written in capitals."""
    is_loud = candidate.text == candidate.text.upper()
    return {"score": is_loud, "reason": f"{problem.id} asks for capitals"}
