"""Labels by hand: a fair choice, a file that loses nothing, agreement of two people."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from workspan.errors import DataError, InputError
from workspan.lab.certifying.certify import Wish, certify
from workspan.lab.labelling.answered import is_answered, known_answers, write_answered
from workspan.lab.labelling.answers import Answered, Voted, choose, read_answers
from workspan.lab.labelling.kappa import kappa
from workspan.lab.labelling.labels import (
    Head,
    Label,
    LabelFile,
    Verdict,
    is_labels,
    judged,
    label,
    latest,
    profile_of,
    read_labels,
)
from workspan.strategies.auto.fit.profile import Profile
from workspan.tasks.base import Task
from workspan.tasks.files import read_tasks

HEAD = Head(1, "hash", 4, 0)


def answered(i: int, first: int = 5, strategy: str = "self_consistency(n=8)") -> Answered:
    votes = (Voted(f"a{i}", first), Voted("other", 8 - first))
    return Answered(f"p{i}", f"a{i}", "so", votes, "model", strategy, 800, 8)


def test_every_answer_is_chosen_with_the_same_probability() -> None:
    held = [answered(i, 4 + i % 4) for i in range(20)]
    times = Counter(one.answered.problem for seed in range(3000) for one in choose(held, 6, seed))
    for name in (one.problem for one in held):
        assert abs(times[name] / 3000 - 0.3) < 5 * (0.3 * 0.7 / 3000) ** 0.5
    assert {one.probability for one in choose(held, 6)} == {0.3}


def test_every_degree_of_agreement_is_there_in_its_share() -> None:
    held = [answered(i, 4 + i // 5) for i in range(20)]
    for seed in range(20):
        chosen = choose(held, 8, seed)
        assert Counter(one.answered.votes[0].weight for one in chosen) == {4: 2, 5: 2, 6: 2, 7: 2}


def test_what_has_no_answer_can_not_be_judged() -> None:
    with pytest.raises(InputError, match="nothing to judge"):
        choose([Answered("p", None)], 3)


def made(name: str, verdict: Verdict, who: str = "anna", i: int = 1) -> Label:
    chosen = choose([answered(i)], 1)[0]
    return label(chosen, verdict, who)


def test_a_kill_at_any_byte_loses_no_whole_label(tmp_path: Path) -> None:
    whole = tmp_path / "whole.jsonl"
    with LabelFile(whole, HEAD) as file:
        for i in range(3):
            file.add(label(choose([answered(i)], 1)[0], "right", "anna"))
    content = whole.read_bytes()
    ends = [i + 1 for i, byte in enumerate(content) if byte == ord("\n")]
    for cut in sorted({*range(0, len(content), 17), *ends, *(end - 1 for end in ends)}):
        path = tmp_path / "cut.jsonl"
        path.write_bytes(content[:cut])
        kept = max(0, sum(end <= cut for end in ends) - 1)
        with LabelFile(path, HEAD) as file:
            assert len(file.labels) == kept
            file.add(label(choose([answered(9)], 1)[0], "wrong", "anna"))
        head, labels = read_labels(path)
        assert head == HEAD
        assert [one.problem for one in labels] == [f"p{i}" for i in range(kept)] + ["p9"]
        path.unlink()


def test_labels_of_other_answers_are_left_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    LabelFile(path, HEAD).__exit__(None, None, None)
    before = path.read_bytes()
    with pytest.raises(InputError, match="other answers"):
        LabelFile(path, Head(1, "another", 4, 0))
    assert path.read_bytes() == before
    assert is_labels(path)
    assert path.stat().st_mode & 0o077 == 0


def test_one_sitting_at_a_time_writes(tmp_path: Path) -> None:
    """A second one would have cut off what the first was just writing."""
    path = tmp_path / "labels.jsonl"
    with LabelFile(path, HEAD) as file:
        file.add(made("p1", "right"))
        with pytest.raises(InputError, match="another process"):
            LabelFile(path, HEAD)
        file.add(made("p1", "wrong"))
    with LabelFile(path, HEAD) as file:
        assert [one.verdict for one in file.labels] == ["right", "wrong"]


def test_an_answer_that_was_called_wrong_is_right_by_no_reference(tmp_path: Path) -> None:
    """A labeller who says wrong, and then the same answer, was counted as saying right."""
    one = made("p1", "wrong")
    [case] = profile_of(
        HEAD, [msgspec.structs.replace(one, reference=one.answer)], tmp_path
    ).problems
    assert case.right == ()
    [case] = profile_of(HEAD, [msgspec.structs.replace(one, reference="other")], tmp_path).problems
    assert case.right == (1,)


def test_of_two_judgements_the_last_stands_and_doubt_is_believed() -> None:
    labels = [made("p1", "wrong"), made("p1", "right")]
    assert latest(labels)["anna"]["p1"].verdict == "right"
    assert judged(labels)[0].is_right
    assert not judged([*labels, made("p1", "unsure", "bert")])[0].is_right


def test_kappa_is_cohens_and_its_interval_holds_it() -> None:
    # 20 both right, 5 and 10 apart, 15 both wrong: Cohen's kappa 0.4 (a textbook table of 50)
    ours: dict[str, Label] = {}
    theirs: dict[str, Label] = {}
    pairs: list[tuple[Verdict, Verdict, int]] = [
        ("right", "right", 20),
        ("right", "wrong", 5),
        ("wrong", "right", 10),
        ("wrong", "wrong", 15),
    ]
    for a, b, times in pairs:
        for _ in range(times):
            name = f"p{len(ours)}"
            ours[name], theirs[name] = made(name, a), made(name, b)
    found = kappa(ours, theirs)
    assert found.value == pytest.approx(0.4)
    assert (found.both, found.agreed) == (50, 35)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.4 < found.high


def test_two_who_never_differ_still_get_a_width() -> None:
    ours = {f"p{i}": made("", "right" if i % 2 else "wrong") for i in range(10)}
    found = kappa(ours, ours)
    assert found.value == 1
    assert found.low is not None
    assert found.low < 0.5
    assert kappa({"p": made("", "right")}, {"p": made("", "right")}).value is None
    assert kappa({}, ours).both == 0


def test_labels_are_draws_to_certify_on(tmp_path: Path) -> None:
    labels = []
    for i in range(60):
        chosen = choose([answered(i, 7 if i < 40 else 4)], 1)[0]
        labels.append(label(chosen, "right" if i < 40 else "wrong", "anna"))
    profile = profile_of(HEAD, labels, tmp_path)
    assert profile.model == "model"
    assert all(len(case.chains) == 8 for case in profile.problems)
    found = certify(profile, Wish("risk", 0.15, 0.1))
    assert found.certified
    assert found.threshold is not None
    assert found.threshold > 0.5


def test_answers_that_were_not_drawn_alike_are_refused(tmp_path: Path) -> None:
    one = label(choose([answered(1, 5, "auto")], 1)[0], "right", "anna")
    with pytest.raises(InputError, match="no draws alike"):
        profile_of(HEAD, [one], tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("votes", [{"answer": "4", "weight": 1e300}]),
        ("votes", [{"answer": "4", "weight": -1e9}]),
        ("calls", 10**9),
        ("calls", -1),
        ("failures", -1),
    ],
)
def test_votes_that_no_run_could_have_are_refused(name: str, value: object, tmp_path: Path) -> None:
    row = {"problem": "p", "answer": "4", "strategy": "single", name: value}
    (tmp_path / "a.jsonl").write_text(json.dumps(row))
    with pytest.raises(DataError, match=rf"a\.jsonl:1: not an answer.*\$\.{name}"):
        read_answers(tmp_path / "a.jsonl")


def test_lines_that_are_no_answers_are_named(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text(json.dumps({"problem": "p", "answer": "4", "model": "m"}) + "\n{}\n")
    with pytest.raises(DataError, match="jsonl:2"):
        read_answers(path)


def test_a_file_without_a_label_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no label yet"):
        profile_of(HEAD, [], tmp_path)


def test_labels_say_how_their_answers_were_drawn(tmp_path: Path) -> None:
    def told(*strategies: str) -> Profile:
        many = [answered(i, strategy=one) for i, one in enumerate(strategies)]
        labels = [label(one, "right", "anna") for one in choose(many, len(many))]
        return profile_of(HEAD, labels, tmp_path)

    found = told("self_consistency(n=8)", "self_consistency(n=8, max_tokens=1024)")
    assert (found.temperature, found.max_tokens) == (0.7, 1024)
    with pytest.raises(InputError, match="draws at several settings"):
        told("self_consistency(n=8)", "self_consistency(n=8, temperature=0.2)")


ROWS: tuple[dict[str, object], ...] = (
    {"id": "p1", "question": "What is 1 + 2?", "kind": "number"},
    {"id": "p2", "question": "Which is a fruit?", "choices": ["stone", "pear"]},
    {"id": "p3", "messages": [{"role": "system", "content": "Be brief."},
                              {"role": "user", "content": "Who wrote Emma?"}]},
    {"id": "p4", "prompt": "2x = 4, x = ?", "kind": "math", "task": "algebra"},
    {"id": "p5", "question": "What is 2 + 2?", "kind": "number"},
)  # fmt: skip


def told(problem: str, answer: str, verdict: Verdict, right: str | None = None) -> Label:
    one = Answered(problem, answer, "so", (Voted(answer, 5),), "model", "single", 800, 8)
    return label(choose([one], 1)[0], verdict, "anna", right)


def unanswered(tmp_path: Path, *rows: dict[str, object]) -> list[Task]:
    path = tmp_path / "traffic.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return read_tasks(path)


def test_problems_come_with_the_answers_that_are_known_to_be_right(tmp_path: Path) -> None:
    tasks, path = unanswered(tmp_path, *ROWS), tmp_path / "answered.jsonl"
    labels = [
        told("p1", "3", "right"),
        told("p2", "A", "wrong", "B"),
        told("p3", "Jane Austen", "right"),
        told("p4", "2", "right"),
        told("p5", "5", "wrong"),
        told("p9", "5", "right"),
    ]
    found = known_answers(tasks, HEAD, labels)
    assert (len(found.rows), found.unknown) == (4, 1)
    write_answered(found, path)
    assert is_answered(path)
    assert path.stat().st_mode & 0o077 == 0
    again = read_tasks(path)
    assert [one.reference for one in again] == ["3", "B", "Jane Austen", "2"]
    for one, before in zip(again, tasks, strict=False):
        assert (one.problem.id, one.problem.prompt) == (before.problem.id, before.problem.prompt)
        assert (one.problem.kind, one.problem.metadata) == (
            before.problem.kind,
            before.problem.metadata,
        )


def test_in_doubt_no_answer_is_known(tmp_path: Path) -> None:
    tasks = unanswered(tmp_path, ROWS[0])
    sure = told("p1", "3", "right")
    other = msgspec.structs.replace(told("p1", "3", "unsure"), labeller="bert")
    assert known_answers(tasks, HEAD, [sure]).rows[0]["labelled_by"] == ["anna"]
    assert known_answers(tasks, HEAD, [sure, other]) == ((), 1)


@pytest.mark.parametrize(
    ("row", "answer", "said"),
    [
        ({**ROWS[0], "answer": "3"}, "3", "p1 has a right answer of its own"),
        ({**ROWS[0], "kind": "open"}, "so", "kind open: one that is right tells of no other"),
        ({**ROWS[1], "id": "p1"}, "the pear", "the right answer to p1 can't be read"),
    ],
)
def test_answers_that_can_not_be_graded_by_are_refused(
    row: dict[str, object], answer: str, said: str, tmp_path: Path
) -> None:
    tasks = unanswered(tmp_path, row)
    with pytest.raises(InputError, match=said):
        known_answers(tasks, HEAD, [told("p1", answer, "right")])
