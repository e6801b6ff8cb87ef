"""The report: true to its numbers, closed to what a model writes into it, private."""

from __future__ import annotations

import html
import http.server
import re
import shutil
import stat
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab_rig import execute, task, tasks
from workspan.batch.compare import Comparison
from workspan.core.session import Strategy
from workspan.data.budget import Budget
from workspan.errors import ContextExceeded, InputError
from workspan.lab.records import records
from workspan.lab.report.comparison import examples, render, write_report
from workspan.strategies.hybrid.grid import Grid
from workspan.strategies.parallel.self_consistency import SelfConsistency
from workspan.strategies.sequential.single import Single
from workspan.testing.scripted import FaultyEngine, ScriptedEngine
from workspan.testing.strategy_suite import chatter

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")


def some() -> Comparison:
    budget = Budget(work=1000, span=300)
    strategies: list[Strategy] = [Single(), SelfConsistency(n=4), Grid(breadth=2, depth=64)]
    return execute(strategies, tasks(6), ScriptedEngine(chatter), budget)


def hostile(address: str) -> Comparison:
    """A model that writes HTML, into its text and its answer."""
    text = (
        f"<script>document.title='owned'</script><img/src={address}/text> "
        f"<img/src=x/onerror=document.title='owned'> "
        f"Answer:</pre><script>document.title='owned';fetch('{address}/answer')</script>"
    )
    problems = [task(0, "<script>document.title='owned'</script>")]
    return execute([Single(), SelfConsistency(n=2)], problems, ScriptedEngine([text]))


def test_the_page_says_what_was_run() -> None:
    done = some()
    page = html.unescape(render(done))
    for said in ("simulated (no model)", "1000 work, 300 span", "simulated: no language model"):
        assert said in page
    for record in records(done):
        assert record.strategy in page
        assert f"{record.accuracy:.2f} <small>{record.low:.2f}–{record.high:.2f}" in page


def test_the_page_is_the_same_each_time() -> None:
    done = some()
    assert render(done) == render(done)


def test_the_page_names_nothing_to_load() -> None:
    page = render(some())
    assert not re.search(r"<(script|link|iframe|object|img|base)\b", page)
    assert not re.search(r"""(src|href)=["'](?!#)""", page)
    assert "@import" not in page
    assert "url(http" not in page
    assert "default-src 'none'" in page


def test_colours_come_from_the_page() -> None:
    page = render(some())
    assert "var(--hue-0)" in page
    assert not re.search(r"#0001[0-9a-f]{2}|#00000[12]", page)


def test_examples_begin_with_what_the_strategies_differ_on() -> None:
    done = some()
    spreads = {
        t.problem.id: {x.grade.correct for x in done.trials if x.task is t and x.grade}
        for t in done.tasks
    }
    assert len(spreads[examples(done)[0].problem.id]) == max(map(len, spreads.values()))


def test_a_failed_run_is_shown_as_failed() -> None:
    engine = FaultyEngine(["Answer: 4"], faults={1: (0, ContextExceeded("too long"))})
    page = render(execute([Single()], tasks(2), engine, parallel=1))
    assert "1 of 2 runs failed" in page
    assert "ContextExceeded: too long" in page


def test_one_strategy_on_one_problem_makes_a_page() -> None:
    assert "1 strategy on 1 problem<" in render(
        execute([Single()], tasks(1), ScriptedEngine(["no idea"]))
    )


def test_what_a_model_writes_is_escaped() -> None:
    page = render(hostile("http://127.0.0.1:1"))
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page


def test_half_a_character_does_not_stop_the_report(tmp_path: Path) -> None:
    done = execute([Single()], tasks(1), ScriptedEngine(["\ud83d Answer: 4"]))
    write_report(done, tmp_path / "report.html")
    assert b"Answer: 4" in (tmp_path / "report.html").read_bytes()


def test_the_file_is_private_even_if_it_was_not(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.touch(mode=0o644)
    write_report(some(), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_page_that_was_opened_to_others_stays_so_and_anything_else_is_left(
    tmp_path: Path,
) -> None:
    path = tmp_path / "report.html"
    write_report(some(), path)
    path.chmod(0o644)
    write_report(some(), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    path.write_text("<!doctype html>\n<p>my own page")
    with pytest.raises(InputError, match="left as it is"):
        write_report(some(), path)
    assert path.read_text() == "<!doctype html>\n<p>my own page"
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]


def test_a_report_that_can_not_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no page of ours"):
        write_report(some(), tmp_path)


@needs_chromium
@pytest.mark.slow
def test_a_browser_draws_the_page_runs_nothing_and_loads_nothing(tmp_path: Path) -> None:
    with listening() as (address, asked):
        path = tmp_path / "report.html"
        write_report(hostile(address), path)
        seen = browse(path)
        assert "<title>2 strategies on 1 problem</title>" in seen
        assert seen.count("<svg") >= 3
        assert not asked


@needs_chromium
@pytest.mark.slow
def test_the_policy_of_the_page_stops_what_would_slip_through(tmp_path: Path) -> None:
    with listening() as (address, asked):
        attack = f"<script>document.title='owned'</script><img src='{address}/slipped'>"
        page = render(some())
        path = tmp_path / "broken.html"
        path.write_text(page.replace("</body>", attack + "</body>"))
        assert "<title>owned" not in browse(path)
        assert not asked
        path.write_text(f"<title>bare</title><body>{attack}")  # the same without our policy
        assert "<title>owned" in browse(path)
        assert asked == ["/slipped"]


def browse(path: Path) -> str:
    """Load a page in a real browser and return the document as it stands then."""
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=3000"]
    profile = f"--user-data-dir={path.parent / 'profile'}"
    command = [CHROMIUM or "", *flags, profile, "--dump-dom", path.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=250, check=True)
    return done.stdout


@contextmanager
def listening() -> Iterator[tuple[str, list[str]]]:
    """Serve on the loopback and note what is asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
