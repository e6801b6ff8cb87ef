"""The report of a sweep: true to its cells, bounded, closed to what a model writes, private."""

from __future__ import annotations

import html
import json
import math
import re
import stat
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep_rig import PROBLEMS, Rig
from workspan.app.reporting import Reported, report
from workspan.app.swept import held
from workspan.core.engine import Price
from workspan.errors import InputError
from workspan.lab.report.sweep import calls, page
from workspan.lab.report.sweep.drawing import joined
from workspan.lab.report.sweep.image import is_png, is_svg
from workspan.testing.scripted import ScriptedEngine
from workspan.testing.strategy_suite import chatter

STRATEGIES = ("single(max_tokens=60)", "self_consistency(n=4, max_tokens=60)")
HOSTILE = (
    "</pre></script><script>document.title='owned'</script><!-- <img src=x onerror=\"alert(1)\"> "
    "\u202eAnswer: 4</script>"
)


def rig(tmp_path: Path, engine: ScriptedEngine | None = None, **more: Any) -> Rig:
    engine = engine or ScriptedEngine(chatter, lambda request: request.seed % 3)
    return Rig(engine, str(tmp_path / "store.db"), tmp_path / "calls", **more)


def drawn(
    one: Rig,
    strategies: Sequence[str] = STRATEGIES,
    budgets: Sequence[str] = ("400 work", "100 work"),
    name: str = "report.html",
    **more: Any,
) -> Path:
    """Run a sweep and draw it."""
    path = one.folder.parent / name

    async def main() -> Reported:
        await one.sweep(strategies, budgets)
        return await report(one.store, path, journals=one.folder, **more)

    assert anyio.run(main).path == path
    return path


def data(text: str, id: str) -> Any:
    """Read one of the page's blocks of data, as its script does."""
    found = re.search(rf'<script type="application/json" id="{id}">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_the_page_holds_the_store_s_own_figures(tmp_path: Path, address: str) -> None:
    one = replace(rig(tmp_path), store=address)
    path = drawn(one)
    text = path.read_text()
    kept = anyio.run(lambda: held(one.store, "test"))
    cells = data(text, "cells")
    assert [*cells] == [row.id for row in kept.cells]
    for row in kept.cells:
        assert cells[row.id]["accuracy"] == row.accuracy
        assert f'data-cell="{row.id}">{row.strategy}<' in text
        assert f"<td>{row.random:.2f}</td><td>{row.coverage:.2f}</td>" in text
        told = data(text, "trials")[row.id]
        assert [(x[1], x[2]) for x in told] == [(x.problem, x.correct) for x in kept.trials[row.id]]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "simulated: no language model was asked" in text


def test_pictures_hold_every_cell_that_is_done(tmp_path: Path) -> None:
    text = drawn(rig(tmp_path)).read_text()
    phase, accuracy, plane, selection = data(text, "pictures")
    ids = {*data(text, "cells")}
    assert {one["cell"] for one in accuracy["data"]["values"]} == ids
    assert {one["cell"] for one in selection["data"]["values"]} == ids
    dots = [layer for layer in plane["layer"] if "cell" in (layer["data"]["values"] or [{}])[0]]
    assert {one["cell"] for one in dots[0]["data"]["values"]} == ids
    assert {one["budget"] for one in phase["data"]["values"]} <= {"400 work", "100 work"}
    lines = {one["work"] for one in plane["layer"][1]["data"]["values"]}
    assert lines <= {100, 400}
    for axis in ("x", "y"):  # ticks between octaves had labels that were rounded to others
        shown = plane["layer"][0]["encoding"][axis]
        low, high = shown["scale"]["domain"]
        octaves = [low * 2**i for i in range(math.ceil(math.log2(high / low)) + 1)]
        assert shown["axis"]["values"] == octaves
        assert all(one % 1 == 0 for one in octaves)
    for one in accuracy["data"]["values"]:  # lines go from the small budget to the large one
        assert one["place"] == ["100 work", "400 work"].index(one["budget"])


def test_every_call_of_a_run_is_there_with_its_text(tmp_path: Path) -> None:
    text = drawn(rig(tmp_path), budgets=["400 work"]).read_text()
    kept, cells = data(text, "calls"), data(text, "cells")
    [voted] = [id for id, cell in cells.items() if "n=4" in cell["strategy"]]
    assert [*kept[voted]] == [str(i) for i in range(len(PROBLEMS))]
    for run in kept[voted].values():
        assert len(run) == 4
        assert all(call["text"] and call["ended"] in ("stop", "length") for call in run)
        assert len({call["key"] for call in run}) == 4


def test_a_cell_that_shares_draws_leads_to_the_one_that_drew(tmp_path: Path) -> None:
    text = drawn(
        rig(tmp_path), [f"self_consistency(n={n}, max_tokens=60)" for n in (2, 4)], ["2k work"]
    ).read_text()
    cells = data(text, "cells")
    small, large = cells
    assert cells[small]["draws"] == large
    assert not cells[large]["draws"]
    assert [*data(text, "calls")] == [large]
    assert "no readable journal" not in text


def test_the_page_is_the_same_each_time(tmp_path: Path) -> None:
    one = rig(tmp_path)
    first = drawn(one).read_bytes()
    assert drawn(one).read_bytes() == first


def test_what_models_and_names_say_opens_no_tag(tmp_path: Path) -> None:
    one = rig(tmp_path, ScriptedEngine([HOSTILE]), name="<script>x</script>")
    text = drawn(one).read_text()
    assert text.count("<script") == text.count("</script>") == 5 + 2
    assert "owned'<" not in text
    assert "\u202e" not in text
    assert "<img" not in html.unescape(re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL))
    [run, *_] = data(text, "calls")[next(iter(data(text, "calls")))].values()
    assert run[0]["text"].strip() == HOSTILE.replace("\u202e", "")


def test_the_policy_names_what_may_run_by_its_hash(tmp_path: Path) -> None:
    text = drawn(rig(tmp_path)).read_text()
    found = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert found is not None
    policy = html.unescape(found[1])
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert policy.count("'sha256-") == 3
    assert "unsafe" not in policy
    assert "http" not in policy


def test_a_sweep_of_which_nothing_is_kept_yet(tmp_path: Path) -> None:
    one = rig(tmp_path)

    async def main(name: str) -> Reported:
        async with one.results() as results:
            await results.begin("id", "early", "", [x.cell for x in one.points(STRATEGIES, [])], 0)
        return await report(one.store, tmp_path / name, "early", journals=one.folder)

    anyio.run(main, "report.html")
    text = (tmp_path / "report.html").read_text()
    assert "No cell is kept yet" in text
    assert data(text, "pictures") == []
    with pytest.raises(InputError, match="no cell of the sweep is done yet"):
        anyio.run(main, "report.png")
    assert not (tmp_path / "report.png").exists()


def test_one_cell_makes_a_page_and_a_picture(tmp_path: Path) -> None:
    one = rig(tmp_path, tasks=PROBLEMS[:1])
    text = drawn(one, STRATEGIES[:1], ["100 work"]).read_text()
    assert len(data(text, "pictures")) == 3
    assert "What differs" not in text
    assert is_svg(drawn(one, STRATEGIES[:1], ["100 work"], "one.svg"))


def test_without_a_price_there_is_no_panel_of_money(tmp_path: Path) -> None:
    (tmp_path / "free").mkdir()
    free = data(drawn(rig(tmp_path / "free")).read_text(), "pictures")[1]
    assert len(free["hconcat"]) == 2
    priced = ScriptedEngine(chatter, price=Price(Decimal("0.15"), Decimal("0.60")))
    paid = data(drawn(rig(tmp_path, priced)).read_text(), "pictures")[1]
    assert len(paid["hconcat"]) == 3
    assert all(one["cost"] > 0 for one in paid["data"]["values"])


@pytest.mark.parametrize(("name", "is_ours"), [("a.png", is_png), ("a.SVG", is_svg)])
def test_pictures_alone_are_known_again_and_replaced(
    tmp_path: Path, name: str, is_ours: Any
) -> None:
    one = rig(tmp_path)
    path = drawn(one, budgets=["400 work"], name=name)
    assert is_ours(path)
    assert path.stat().st_size > 10_000
    if path.suffix == ".SVG":
        text = path.read_text()
        assert "var(--" not in text
        assert "<script" not in text
        assert "self_consistency(n=4" in text


def test_a_picture_of_somebody_else_is_left_as_it_is(tmp_path: Path) -> None:
    one = rig(tmp_path)
    for name in ("report.png", "report.svg", "report.html"):
        (tmp_path / name).write_text("mine")
        with pytest.raises(InputError, match="left as it is"):
            drawn(one, STRATEGIES[:1], ["400 work"], name)
        assert (tmp_path / name).read_text() == "mine"


def test_a_suffix_of_no_report_is_refused(tmp_path: Path) -> None:
    for name in ("report.pdf", "report"):
        with pytest.raises(InputError, match=r"ends in \.html, \.png, \.svg"):
            anyio.run(report, "none.db", tmp_path / name)


def test_a_large_sweep_makes_a_small_page_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = rig(tmp_path)
    whole = drawn(one)
    kept = data(whole.read_text(), "calls")
    monkeypatch.setattr(page, "CELLS", 3)
    monkeypatch.setattr(page, "TRIALS", 6)
    monkeypatch.setattr(calls, "LONGEST", 20)
    text = drawn(one).read_text()
    assert "The store has 1 more cell: the page shows the first 3" in text
    assert "Of each cell one can look at the first 2 problems" in text
    assert len(data(text, "cells")) == 3
    assert {len(many) for many in data(text, "trials").values()} == {2}
    shown = next(iter(data(text, "calls").values()))["0"][0]["text"]
    assert "characters left out" in shown
    assert shown.endswith(next(iter(kept.values()))["0"][0]["text"][-10:])

    async def few() -> calls.Calls:
        found = await held(one.store, "test")
        return calls.read_calls(found.cells, found.trials, one.folder, most=4)

    little = anyio.run(few)
    assert {len(runs) for runs in little.of.values()} == {1}
    assert little.left_out == 4 * (len(PROBLEMS) - 1)


def test_journals_that_are_not_here_or_damaged_are_said(tmp_path: Path) -> None:
    one = rig(tmp_path)
    drawn(one)
    first, second, *_ = sorted(one.folder.rglob("*.jsonl"))
    first.unlink()
    second.write_bytes(second.read_bytes().replace(b"Answer", b"answer"))
    text = drawn_again(one)
    assert "No journal can be read here of 2 cells" in text
    told = {cell["unread"] for cell in data(text, "cells").values()}
    assert "no journal of its calls is kept here" in told
    assert any("checksum" in one for one in told)


def drawn_again(one: Rig) -> str:
    path = one.folder.parent / "again.html"
    anyio.run(lambda: report(one.store, path, journals=one.folder))
    return path.read_text()


def test_serial_depths_are_told_and_held_against_the_tasks(tmp_path: Path) -> None:
    one = rig(tmp_path)
    text = drawn(one, serial={"sums": 1}).read_text()
    assert (
        "serial depth 1 \\u00b7 engine:\\nsums" in text or "serial depth 1 · engine:\\nsums" in text
    )
    for serial, said in (({"sum": 1}, "no task 'sum'"), ({"sums": 0}, "at least 1 step")):
        with pytest.raises(InputError, match=said):
            anyio.run(partial(report, one.store, tmp_path / "x.html", serial=serial))


@given(
    st.lists(st.tuples(st.floats(0, 200), st.floats(0, 100), st.sampled_from("ABC")), max_size=9)
)
def test_no_letter_covers_another_and_none_is_lost(places: list[tuple[float, float, str]]) -> None:
    said = joined(places)
    heads = [(x, y) for (x, y, _), text in zip(places, said, strict=True) if text]
    for (x, y), (other_x, other_y) in combinations(heads, 2):
        assert abs(x - other_x) >= 18 or abs(y - other_y) >= 11
    for x, y, letter in places:
        near = [
            text
            for (head_x, head_y, _), text in zip(places, said, strict=True)
            if abs(x - head_x) < 18 and abs(y - head_y) < 11
        ]
        assert any(letter in text for text in near)
