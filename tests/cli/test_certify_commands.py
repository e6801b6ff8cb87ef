"""``certify`` and ``label`` as a person meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from workspan import sync
from workspan.cli.main import app
from workspan.errors import BudgetExceeded, DataError, InputError
from workspan.lab.labelling.labels import read_labels
from workspan.strategies.auto.fit.certificate import read_certificate
from workspan.strategies.auto.fit.profile import read_profile
from workspan.testing.scripted import ScriptedEngine

_TRICK = "4\x1b]0;owned\x07\x1b[2J\u202e"


def called(*arguments: str | Path, typed: str = "") -> Result:
    """Run a command in this process; an error is raised as it is."""
    return CliRunner().invoke(app, [*map(str, arguments)], input=typed, catch_exceptions=False)


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """Forty problems of twelve draws: on thirty all agree, rightly; on ten they differ."""
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    rows = []
    for i in range(40):
        said = ["4"] * 12 if i < 30 else [str(k % 3) for k in range(12)]
        samples = [{"answer": a, "correct": a == "4", "tokens": 10} for a in said]
        rows.append(
            {"problem_id": f"p{i}", "task": "t", "model": "m", "gold": "4", "samples": samples}
        )
    path = tmp_path / "samples.parquet"
    parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return path


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    path = tmp_path / "answers.jsonl"
    rows = [
        {
            "problem": f"p{i}",
            "answer": _TRICK if i == 3 else "4",
            "text": "so 4",
            "votes": [{"answer": _TRICK if i == 3 else "4", "weight": 6.0}],
            "model": "secret-model",
            "strategy": "self_consistency(n=6)",
            "work": 60,
            "calls": 6,
            "failures": 0,
        }
        for i in range(6)
    ]
    rows.append({"problem": "p9", "answer": None, "error": "EngineError: gone"})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("mode", ["risk", "agreement", "mode"])
def test_each_promise_is_one_record(recorded: Path, mode: str) -> None:
    done = called("certify", "--replay", recorded, "--mode", mode, "--json")
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert found["mode"] == mode
    assert found["certified"] is True
    assert found["answered"] == 30
    assert found["abstained"] == 10
    assert found["work"] < found["work_all"] == 120


def test_a_certificate_is_written_and_used(recorded: Path, tmp_path: Path) -> None:
    to = tmp_path / "certificate.json"
    done = called("certify", "--replay", recorded, "--to", to)
    assert done.exit_code == 0
    assert "of the answers given, at most alpha are wrong" in done.stdout
    kept = read_certificate(to)
    assert kept.model == "m"
    plan = f"auto(floor='risk', certificate={str(to)!r}, of='m')"
    result = sync.solve("2 + 2?", kind="number", engine="scripted", strategy=plan)
    assert result.answer.certified in (True, False)


def test_what_can_not_be_certified_ends_with_a_code_of_its_own(recorded: Path) -> None:
    done = called("certify", "--replay", recorded, "--alpha", "0.01")
    assert done.exit_code == 4
    assert "certify 0.01" in done.stdout


def test_without_a_certificate_no_file_is_written(recorded: Path, tmp_path: Path) -> None:
    to = tmp_path / "certificate.json"
    asked = ("certify", "--replay", recorded, "--alpha", "0.01", "--to", to)
    done = called(*asked)
    assert done.exit_code == 4
    assert f"nothing was written to {to}" in " ".join(done.stderr.split())
    assert not to.exists()
    assert not sync.certify(replay=recorded, alpha=0.01, to=to).certified
    assert not to.exists()
    assert called("certify", "--replay", recorded, "--to", to).exit_code == 0
    before = to.read_bytes()
    assert "of an earlier run" in called(*asked).stderr
    assert to.read_bytes() == before


def test_a_model_is_asked_where_nothing_is_recorded(tmp_path: Path) -> None:
    rows = [{"id": f"p{i}", "question": f"{i} + 1?", "kind": "number"} for i in range(4)]
    problems = tmp_path / "problems.jsonl"
    problems.write_text("".join(json.dumps(row) + "\n" for row in rows))
    where = ("certify", "--mode", "mode", "-n", "8", "--input", problems, "-e", "scripted")
    found = json.loads(called(*where, "--journal", tmp_path / "j", "--json").stdout)
    assert found["problems"] == 4
    assert found["n"] == 8
    again = json.loads(called(*where, "--journal", tmp_path / "j", "--json").stdout)
    assert again == found
    assert "work" in called(*where, "--dry-run").stdout


def test_python_says_the_same(recorded: Path) -> None:
    found = sync.certify(replay=recorded, mode="agreement")
    said = json.loads(
        called("certify", "--replay", recorded, "--mode", "agreement", "--json").stdout
    )
    assert (found.answered, found.threshold) == (said["answered"], said["threshold"])


def test_a_problem_counts_once_however_often_it_was_recorded(
    recorded: Path, tmp_path: Path
) -> None:
    """Of the same problems at two efforts half as many labels would seem to be enough."""
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    rows = parquet.read_table(recorded).to_pylist()
    both = [{**row, "setting": e, "effort": e} for row in rows for e in ("low", "high")]
    path = tmp_path / "efforts.parquet"
    parquet.write_table(pyarrow.Table.from_pylist(both), path)
    with pytest.raises(InputError, match=r"promises too much: name one effort \(high, low\)"):
        called("certify", "--replay", path)
    with pytest.raises(InputError, match="did you mean 'high'"):
        called("certify", "--replay", path, "--effort", "hihg")
    found = json.loads(called("certify", "--replay", path, "--effort", "low", "--json").stdout)
    assert found == json.loads(called("certify", "--replay", recorded, "--json").stdout)
    assert sync.certify(replay=path, effort="high").problems == 40
    profile = tmp_path / "profile.json"
    with pytest.raises(InputError, match=r"name one effort \(high, low\)"):
        called("calibrate", "--replay", path, "--to", profile)
    done = called("calibrate", "--replay", path, "--to", profile, "--effort", "low")
    assert "chains of 40 problems" in done.stdout
    with pytest.raises(InputError, match="--effort is of a recording"):
        called("calibrate", "--task", "demo", "--to", profile, "--effort", "low")
    apart = [{**row, "model": "ab"[i % 2]} for i, row in enumerate(rows)]
    parquet.write_table(pyarrow.Table.from_pylist(apart), path)
    for command in (("certify",), ("calibrate", "--to", profile)):
        with pytest.raises(InputError, match=r"draws of 2 models: name one \(a, b\)"):
            called(*command, "--replay", path)
    models = [{**row, "model": name} for row in rows for name in ("a", "b")]
    parquet.write_table(pyarrow.Table.from_pylist(models), path)
    with pytest.raises(InputError, match=r"name one model \(a, b\)"):
        called("certify", "--replay", path)
    with pytest.raises(InputError, match="nothing was recorded at effort 'low': the file names no"):
        called("certify", "--replay", recorded, "--effort", "low")
    with pytest.raises(InputError, match="--effort is of a recording"):
        called("certify", "--input", recorded, "--effort", "low")


def test_labels_that_certify_nothing_are_said_to_before_they_are_made(
    answers: Path, tmp_path: Path
) -> None:
    rows = [json.loads(line) for line in answers.read_text().splitlines()]
    path = tmp_path / "auto.jsonl"
    path.write_text("".join(json.dumps({**row, "strategy": "auto"}) + "\n" for row in rows))
    done = judge(path, tmp_path / "labelled.jsonl", "r\nr\nw\n\nr\nr\nr\n")
    assert "before you begin: certify takes labels of plain votes alone" in done.stderr
    assert "judged 6 of 6, 5 as right" in done.stdout
    assert "workspan certify --input" not in done.output
    assert "before you begin" not in judge(answers, tmp_path / "other.jsonl", "q\n").output


def test_answers_without_a_question_are_counted(answers: Path, tmp_path: Path) -> None:
    problems = tmp_path / "problems.jsonl"
    problems.write_text('{"id": "p1", "prompt": "2 + 2?", "answer": "4", "kind": "number"}\n')
    done = judge(answers, tmp_path / "labelled.jsonl", "q\n", "anna", "--input", str(problems))
    assert "before you begin: 5 of 6 answers have no question in" in done.stderr
    whole = "".join(
        f'{{"id": "p{i}", "prompt": "2 + 2?", "answer": "4", "kind": "number"}}\n' for i in range(6)
    )
    problems.write_text(whole)
    again = judge(answers, tmp_path / "labelled.jsonl", "q\n", "anna", "--input", str(problems))
    assert "have no question" not in again.output


def test_what_is_wrong_is_said_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--replay FILE"):
        called("certify")
    with pytest.raises(InputError, match="needs no file"):
        called("certify", "--mode", "mode", "--replay", tmp_path / "x", "--to", tmp_path / "y")
    with pytest.raises(InputError, match="alpha is 2"):
        called("certify", "--alpha", "2", "--replay", tmp_path / "x")


def judge(answers: Path, to: Path, typed: str, who: str = "anna", *more: str) -> Result:
    return called("label", answers, "--to", to, "--n", "6", "--as", who, *more, typed=typed)


def test_labelling_is_blind_goes_on_and_is_used(answers: Path, tmp_path: Path) -> None:
    to = tmp_path / "labelled.jsonl"
    first = judge(answers, to, "r\nr\nq\n")
    assert first.exit_code == 0
    for hidden in ("secret-model", "self_consistency", "6.0"):
        assert hidden not in first.output
    assert "judged 2 of 6" in first.output
    rest = judge(answers, to, "x\nr\nw\n5\nu\nr\n")
    assert "1 of 6" not in rest.output.split("right, wrong")[0]
    assert "judged 6 of 6" in rest.output
    other = judge(answers, to, "r\nr\nr\nw\n\nr\nr\n", "bert")
    assert "Cohen's kappa" in other.output
    record = json.loads(judge(answers, to, "", "anna", "--json").stdout)
    assert record["judged"] == record["labelled"] == 6
    assert record["kappa"]["anna, bert"]["both"] == 6
    found = json.loads(called("certify", "--input", to, "--json").stdout)
    assert found["labelled"] == 6
    assert found["certified"] is False
    assert found["labels_needed"] is None or found["labels_needed"] >= 22


def test_going_back_judges_the_last_one_again(answers: Path, tmp_path: Path) -> None:
    to = tmp_path / "labelled.jsonl"
    judge(answers, to, "w\n\nb\nr\nq\n")
    record = json.loads(judge(answers, to, "", "anna", "--json").stdout)
    assert (record["judged"], record["right"]) == (1, 1)


def test_nothing_raw_reaches_the_terminal(answers: Path, tmp_path: Path) -> None:
    done = judge(answers, tmp_path / "labelled.jsonl", "r\n" * 6)
    for raw in ("\x1b", "\x07", "\u202e"):
        assert raw not in done.output
    assert "4]0;owned[2J" in done.output


def test_questions_are_shown_where_they_are_given(answers: Path, tmp_path: Path) -> None:
    problems = tmp_path / "problems.jsonl"
    rows = [{"id": f"p{i}", "question": f"What is {i}?", "kind": "number"} for i in range(6)]
    problems.write_text("".join(json.dumps(row) + "\n" for row in rows))
    to = tmp_path / "labelled.jsonl"
    assert "What is" in judge(answers, to, "q\n", "anna", "--input", str(problems)).output
    assert read_labels(to)[0].kind == "number"  # as the problems are: "4.0" is right where 4 is
    problems.write_text(json.dumps({"id": "z", "question": "?", "kind": "number"}) + "\n")
    with pytest.raises(InputError, match="problems are others"):
        judge(answers, to, "q\n", "anna", "--input", str(problems))


def test_files_that_are_no_labels_are_left(answers: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("mine")
    with pytest.raises(InputError, match="a file of labels"):
        judge(answers, mine, "q\n")
    with pytest.raises(InputError, match="left as it is"):
        judge(answers, answers, "q\n")
    assert mine.read_text() == "mine"
    with pytest.raises(DataError, match="not an answer"):
        judge(mine, tmp_path / "labelled.jsonl", "q\n")


def test_an_answer_that_is_not_certified_is_printed_and_told_by_the_exit_code(
    tmp_path: Path,
) -> None:
    strategy = "auto(floor='mode', delta=0.3, n=8)"
    told = ("-e", "scripted", "-s", strategy, "--kind", "number", "--budget", "4k work")
    done = [called("solve", "2 + 2?", *told, "--seed", seed) for seed in "012"]
    titles = {one.exit_code: "certified" in one.stdout for one in done}
    assert titles
    assert all(titles.values())
    for one in done:
        assert (one.exit_code == 4) == ("not certified" in one.stdout)
    record = json.loads(called("solve", "2 + 2?", *told, "--json").stdout)
    assert record["certified"] in (True, False)


def test_risk_without_any_right_answer_is_refused_before_a_call(tmp_path: Path) -> None:
    """Draws cost money, and say nothing of what is right."""
    rows = [{"id": f"p{i}", "prompt": f"{i} + 1?", "kind": "number"} for i in range(3)]
    file, kept = tmp_path / "unlabelled.jsonl", tmp_path / "calls.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = ("certify", "--input", file, "-e", "scripted", "-n", "2", "--journal", kept)
    with pytest.raises(InputError, match="needs labels"):
        called(*words)
    assert not kept.exists()
    engine = ScriptedEngine(["Answer: 4"])
    with pytest.raises(InputError, match="needs labels"):
        sync.certify(rows, engine=engine, n=2)
    assert not engine.requests
    assert called(*words, "--mode", "agreement", "--alpha", ".9").exit_code in (0, 4)
    assert kept.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-b", "1 work"), "holds no 16 draws"),
        (("-b", "15 work"), "holds no 16 draws"),
        (("-n", "8", "-b", "3 calls"), "holds no 8 draws"),
        (("-n", "3", "--mode", "mode"), "7 at least"),
        (("--mode", "mode", "-b", "5 calls"), "5 draws of a problem can certify no mode"),
    ],
)
def test_what_a_budget_can_not_certify_is_refused_before_a_call(
    words: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    rows = [{"id": "p", "prompt": "1 + 1?", "answer": "2", "kind": "number"}]
    file, kept = tmp_path / "labelled.jsonl", tmp_path / "calls.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(InputError, match=said):
        called("certify", "--input", file, "-e", "scripted", *words, "--journal", kept)
    assert not kept.exists()


def test_a_budget_of_a_token_a_draw_is_not_refused(tmp_path: Path) -> None:
    rows = [{"id": "p", "prompt": "1 + 1?", "answer": "2", "kind": "number"}]
    file = tmp_path / "labelled.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(BudgetExceeded, match="the draws of the problem were cut"):
        called("certify", "--input", file, "-e", "scripted", "-b", "16 work")


def test_labels_and_their_questions_are_problems_for_every_other_command(
    answers: Path, tmp_path: Path
) -> None:
    to, traffic, known = (tmp_path / f"{name}.jsonl" for name in ("labels", "traffic", "known"))
    rows = [{"id": f"p{i}", "question": f"What is {i} + 4?", "kind": "number"} for i in range(9)]
    traffic.write_text("".join(json.dumps(row) + "\n" for row in rows))
    told = ("--input", str(traffic), "--answered", str(known))
    nothing = judge(answers, to, "q\n", "anna", *told)
    assert "no right answer is known yet: nothing was written" in nothing.output
    assert not known.exists()
    done = judge(answers, to, "r\nw\n5\nu\nr\nr\nw\n\n", "anna", *told)
    assert "4 problems with the right answer, for which, calibrate and compare" in done.output
    assert "2 further ones that the model got wrong, or may have" in done.output
    record = json.loads(judge(answers, to, "", "anna", *told, "--json").stdout)
    assert record["answered"] == 4
    asked = ("-e", "scripted", "--journal", tmp_path / "j", "--to", tmp_path / "p.json")
    assert called("calibrate", "--input", known, *asked, "-b", "900 work").exit_code == 0
    profile = read_profile(tmp_path / "p.json")
    assert profile.labelled == 4
    away = ("-e", "http://127.0.0.1:9/v1", "-m", "gpt-5.1", "--set", "retries.attempts=1")
    dry = called("which", "--input", known, *away, "--pilot", "9k work", "--dry-run")
    assert "4 problems" in dry.stdout


@pytest.mark.parametrize("command", ["which", "calibrate", "compare"])
def test_a_file_of_labels_holds_no_questions_and_what_to_do_is_said(
    command: str, answers: Path, tmp_path: Path
) -> None:
    to = tmp_path / "labelled.jsonl"
    judge(answers, to, "r\nq\n")
    told: dict[str, tuple[str, ...]] = {
        "which": ("--pilot", "9k work"),
        "calibrate": ("--to", str(tmp_path / "p")),
        "compare": (),
    }
    with pytest.raises(DataError, match="--answered FILE"):
        called(command, "--input", to, "-e", "scripted", *told[command])


def test_problems_with_answers_are_asked_for_with_what_they_are_made_of(
    answers: Path, tmp_path: Path
) -> None:
    to, traffic = tmp_path / "labelled.jsonl", tmp_path / "traffic.jsonl"
    traffic.write_text('{"id": "p1", "question": "2 + 2?", "answer": "4", "kind": "number"}\n')
    with pytest.raises(InputError, match="--answered writes problems of --input"):
        judge(answers, to, "", "anna", "--answered", str(tmp_path / "k.jsonl"))
    with pytest.raises(InputError, match=r"a file of problems ends in \.jsonl"):
        judge(answers, to, "", "anna", "--answered", str(tmp_path / "k.csv"))
    told = ("--input", str(traffic), "--answered", str(tmp_path / "k.jsonl"))
    with pytest.raises(InputError, match="p1 has a right answer of its own"):
        judge(answers, to, "", "anna", *told)
    with pytest.raises(InputError, match="give each its own"):
        judge(answers, to, "", "anna", "--input", str(traffic), "--answered", str(to))
    assert not to.exists()
