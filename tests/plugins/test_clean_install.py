"""The wheels in an environment of their own: what the base install is enough for."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from workspan.testing.server import Behaviour, SimulatedServer

pytestmark = pytest.mark.heavy  # it makes environments, and asks a package index

ROOT = Path(__file__).parents[2]
BUILT = ("--no-deps", "--no-build-isolation", "--no-index")
EXTRAS = {"numpy", "scipy", "pandas", "pyarrow", "matplotlib", "jinja2", "openvino_genai", "torch"}
"""None of them comes with the base."""
LAZY = {"aiohttp", "mpmath", "sympy", "openai", *EXTRAS}
"""Nor is any of these imported before it is needed."""


SUPPORTED = re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text())
"""Versions of Python that the project says it runs on."""


def interpreter(version: str) -> str:
    """Return an interpreter of this version; without one the test is skipped."""
    asked = [f"python{version}", "-c", "import ensurepip, sys, venv; print(sys.executable)"]
    if shutil.which(asked[0]):
        chosen = os.environ | {"PYENV_VERSION": version}  # for who has several by pyenv
        done = subprocess.run(asked, capture_output=True, text=True, env=chosen, check=False)
        if done.returncode == 0:
            return done.stdout.strip()
    pytest.skip(f"there is no Python {version} here")


class Environment:
    """A virtual environment with nothing but what is asked for."""

    def __init__(self, folder: Path, python: str) -> None:
        self.folder = folder
        subprocess.run([python, "-m", "venv", str(folder / "env")], check=True)

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of its programs, in a folder that holds nothing of ours."""
        kept = {"PATH", "HOME", "PIP_INDEX_URL", "PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"}
        env = {name: value for name, value in os.environ.items() if name in kept}
        away = self.folder / "away"
        away.mkdir(exist_ok=True)
        return subprocess.run(
            [str(self.folder / "env" / "bin" / program), *arguments],
            capture_output=True,
            text=True,
            cwd=away,
            env=env | {"WORKSPAN_STATE": str(self.folder / "state")},
            check=False,
        )

    def install(self, *packages: str) -> None:
        """Install from files and the index; a machine without an index skips the test."""
        done = self.run("python", "-m", "pip", "install", "-q", *packages)
        if any(said in done.stderr for said in ("ConnectionError", "NewConnection", "Retrying")):
            pytest.skip("no package index can be reached")
        assert done.returncode == 0, done.stderr

    def packages(self) -> set[str]:
        """Return the names of all that is installed."""
        listed = self.run("python", "-m", "pip", "list", "--format", "json").stdout
        return {one["name"].lower().replace("-", "_") for one in json.loads(listed)}


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build both projects' wheels."""
    folder = tmp_path_factory.mktemp("built")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "-q", *BUILT]
    for project in (ROOT, ROOT / "evidence"):
        subprocess.run([*pip, "-w", str(folder), str(project)], check=True)
    return folder


@pytest.fixture(scope="module", params=SUPPORTED)
def base(
    request: pytest.FixtureRequest, wheels: Path, tmp_path_factory: pytest.TempPathFactory
) -> Environment:
    """Install the product alone, in each Python that there is."""
    environment = Environment(tmp_path_factory.mktemp("base"), interpreter(request.param))
    environment.install(*map(str, wheels.glob("workspan-*.whl")))
    return environment


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Serve a simulated endpoint, apart from the event loops of the tests."""
    found: list[str] = []
    is_up, is_done = threading.Event(), threading.Event()

    async def serve() -> None:
        async with SimulatedServer(Behaviour()).serve() as server:
            found.append(server.url)
            is_up.set()
            await anyio.to_thread.run_sync(is_done.wait)

    thread = threading.Thread(target=anyio.run, args=(serve,))
    thread.start()
    assert is_up.wait(30)
    yield found[0]
    is_done.set()
    thread.join()


def test_the_base_is_small_and_solves_on_an_endpoint(base: Environment, address: str) -> None:
    assert not EXTRAS & base.packages()
    done = base.run("workspan", "--help")
    assert done.returncode == 0, done.stderr
    assert "solve" in done.stdout
    asked = ("-e", address, "--model", "m", "-b", "2k work", "--json")
    done = base.run("workspan", "solve", "What is 17 + 25?", *asked, "--kind", "number")
    assert done.returncode == 0, done.stderr
    assert (json.loads(done.stdout)["calls"], done.stderr) == (8, "")
    problems = base.folder / "problems.jsonl"
    problems.write_text(
        '{"question": "2 + 2?", "answer": 4}\n{"question": "3 + 3?", "answer": 6}\n'
    )
    done = base.run("workspan", "compare", "--input", str(problems), *asked)
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["problems"] for line in done.stdout.splitlines()] == [2, 2]


def test_what_the_base_lacks_is_said_with_what_to_install(base: Environment) -> None:
    done = base.run("workspan", "solve", "2 + 2?", "-b", "200 work")
    assert done.returncode == 5
    assert "pip install 'workspan[embedded]'" in done.stderr.replace('"', "'")
    done = base.run("workspan", "solve", "2 + 2?", "-e", "reasoner")
    assert done.returncode == 5
    assert "workspan-evidence" in done.stderr


def test_imports_stay_light(base: Environment) -> None:
    code = """
        import sys
        import workspan
        from workspan.cli.main import main
        sys.argv[1:] = ["--help"]
        try:
            main()
        except SystemExit:
            pass
        print(*sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
    """
    done = base.run("python", "-c", textwrap.dedent(code))
    assert done.returncode == 0, done.stderr
    assert not LAZY & {*done.stderr.split()}


SUITES = """
    from workspan.data.budget import Budget
    from workspan.spec import STRATEGIES, parse_strategy
    from workspan.testing import strategy_suite

    base = [row for row in STRATEGIES.ours.values() if not row.card.extra]
    for row in base:
        strategy = parse_strategy(row.example)
        strategy_suite.check_account(strategy, Budget(work=300), None, 0)
        strategy_suite.check_resume(strategy, Budget(calls=3))
    print(len(base))
"""


def test_strategies_keep_their_suite_in_every_python(base: Environment) -> None:
    """The suites come with the wheel, and need nothing beside it."""
    done = base.run("python", "-c", textwrap.dedent(SUITES))
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 40


@pytest.mark.timeout(900)  # it downloads numpy
def test_the_evidence_plugs_in(base: Environment, wheels: Path) -> None:
    """Last but one: it brings numpy, which the tests above must not find."""
    base.install(*map(str, wheels.glob("*.whl")))
    asked = ("claims", "guessing_tokens", "retrieval_learnt", "--json")
    done = base.run("workspan", *asked)
    assert done.returncode == 0, done.stderr
    verdicts = [json.loads(line)["verdict"] for line in done.stdout.splitlines()]
    assert verdicts == ["holds", "holds"]


NOTEBOOK = """
import sys
import nbformat
from nbclient import NotebookClient

cells = [
    "import workspan as ws",
    "result = await ws.solve('2 + 2?', kind='number', engine='scripted', budget='2k work')\\n"
    "print(result.usage.calls, result.stop)",
    "answers = await ws.solve_many(['1 + 1?', '2 + 2?'], engine='scripted', strategy='single')\\n"
    "answers",
    "rows = [{'question': '2 + 2?', 'answer': 4}]\\n"
    "done = await ws.compare(rows, 'single', engine='scripted')\\ndone",
    "from workspan import sync\\n"
    "try:\\n    sync.solve('2 + 2?', engine='scripted')\\n"
    "except ws.WorkspanError as error:\\n    print(error)",
    "events = []\\n"
    "await ws.solve('2 + 2?', engine='scripted', strategy='single', stream=events.append)\\n"
    "print(len(events) > 0)",
]
book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
NotebookClient(book, timeout=120, kernel_name="python3").execute()
nbformat.write(book, sys.argv[1])
"""


def test_a_notebook_runs(base: Environment) -> None:
    base.install("nbclient", "nbformat", "ipykernel")
    kept = base.folder / "run.ipynb"
    done = base.run("python", "-c", NOTEBOOK, str(kept))
    assert done.returncode == 0, done.stderr
    cells = json.loads(kept.read_text())["cells"]
    outputs = [cell["outputs"] for cell in cells]
    assert outputs[0] == []
    assert _printed(outputs[1]) == "8 done\n"
    for shown in outputs[2:4]:
        assert "<table" in "".join(shown[-1]["data"]["text/html"])
    assert "await" in _printed(outputs[4])
    assert _printed(outputs[5]) == "True\n"
    assert not [one for found in outputs for one in found if one.get("name") == "stderr"]


def _printed(outputs: list[dict[str, Any]]) -> str:
    return "".join(text for one in outputs for text in one["text"])
