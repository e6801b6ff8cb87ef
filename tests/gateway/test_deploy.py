"""What `deploy/` holds: who runs it, what is pinned, where secrets are; and the tools' own word."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

yaml = pytest.importorskip("yaml", reason="PyYAML reads the compose files")

DEPLOY = Path(__file__).parents[2] / "deploy"
FILES = sorted(DEPLOY.iterdir())
COMPOSE = [DEPLOY / "compose.yaml", DEPLOY / "compose.balanced.yaml"]
PINNED = re.compile(r"[a-z/]+:\d+\.\d+(\.\d+)?[\w.-]*(@sha256:[0-9a-f]{64})?")


def services(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text())["services"]
    return found


def test_the_image_is_pinned_unprivileged_and_checked() -> None:
    text = (DEPLOY / "Containerfile").read_text()
    (base,) = re.findall(r"^ARG PYTHON=(\S+)$", text, re.MULTILINE)
    assert PINNED.fullmatch(base)
    last = text.rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    assert "HEALTHCHECK" in last
    assert "/readyz" in last
    assert "COPY . " not in text
    assert not re.search(r"(KEY|PASSWORD|TOKEN|SECRET)\s*=", text)
    assert "ADD " not in text


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.name)
def test_services_are_pinned_bounded_and_without_secrets(path: Path) -> None:
    secrets = yaml.safe_load(path.read_text())["secrets"]
    for name, service in services(path).items():
        assert PINNED.fullmatch(service["image"]), name
        assert "mem_limit" in service
        assert "pids_limit" in service
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert "privileged" not in service
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:")
        for key, value in service.get("environment", {}).items():
            if "KEY" in key or "PASS" in key:
                assert key.endswith("FILE")
                assert str(value).startswith("/run/secrets/")
    assert all(set(one) == {"file"} for one in secrets.values())


def test_the_options_that_it_gives_are_known() -> None:
    """Each `--option` of the files is one of `workspan serve`."""
    from workspan.cli.serve import serve as command

    known = {name.replace("_", "-") for name in command.__annotations__}
    for path in (*COMPOSE, DEPLOY / "workspan.service"):
        for option in re.findall(r"--([a-z-]+)", path.read_text().split("[Service]")[-1]):
            if path.suffix == ".yaml" and option in ("build",):
                continue
            assert option in known | {"data-dir"}, f"{path.name}: --{option}"


def test_the_entry_point_reads_secrets_from_files(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-0123456789\n")
    fake = tmp_path / "workspan"
    fake.write_text('#!/bin/sh\necho "$WORKSPAN_API_KEY|$*"\n')
    fake.chmod(0o755)
    told = {"PATH": f"{tmp_path}:/usr/bin:/bin", "WORKSPAN_API_KEY_FILE": str(tmp_path / "key")}
    script = ["sh", str(DEPLOY / "entrypoint.sh"), "--port", "1"]
    done = subprocess.run(script, env=told, capture_output=True, text=True, check=True)
    assert done.stdout == "sk-0123456789|serve --port 1\n"
    told["WORKSPAN_API_KEY_FILE"] = str(tmp_path / "absent")
    done = subprocess.run(script, env=told, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "can't be read" in done.stderr


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"no {name} here")
    return found


@pytest.mark.peers
def test_hadolint_finds_nothing() -> None:
    done = subprocess.run(
        [tool("hadolint"), str(DEPLOY / "Containerfile")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.peers
@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.name)
def test_compose_lint_finds_nothing_high(path: Path) -> None:
    done = subprocess.run(
        [tool("compose-lint"), str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.peers
def test_systemd_reads_the_unit(tmp_path: Path) -> None:
    text = (DEPLOY / "workspan.service").read_text()
    unit = tmp_path / "workspan.service"
    unit.write_text(text.replace("/opt/workspan/bin/workspan", "/bin/true"))
    done = subprocess.run(
        [tool("systemd-analyze"), "verify", str(unit)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
