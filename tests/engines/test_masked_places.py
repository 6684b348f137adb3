"""Many secrets in every place: found when masking is off, and not when it is on."""

from __future__ import annotations

import json
import os
from collections import deque
from contextlib import closing
from pathlib import Path
from sqlite3 import connect

import pytest
from redis import Redis as RedisClient

from tests.engines.plans import HANG
from tests.engines.services import ClusterAddress, OwnWorker, Redis
from tests.engines.test_secrets import kept_in, whole
from tests.forking import run_command_text
from tests.written_forms import planted, secrets

PLUGIN = Path(__file__).with_name("leaking_plugin.py")
COUNT = int(os.environ.get("FLOWRUNNER_SECRETS", "50").replace("full", "1000"))
SECRETS = {f"FLOWRUNNER_TEST_{number}": value for number, value in enumerate(secrets(COUNT))}
ARGS = json.dumps([f"${{env.{name}}}" for name in SECRETS])
WORKFLOW = f"""
env: {json.dumps(list(SECRETS))}
defaults: {{"*": {{immutable: true, args: {ARGS}}}}}
chain: [prints, logs, raises]
"""
PRINTED = {"printed", "printed in parts", "printed to stderr"}
LOGGED = {"logged", "logged traceback"}
RAISED = {"message", "note", "cause"}


def found(text: str) -> dict[str, int]:
    """Return how many secrets stand in a text, by the place where the task has put them."""
    places = sorted(PRINTED | LOGGED | RAISED)
    counts = {
        place: sum(form in text for form in planted(SECRETS.values(), place)) for place in places
    }
    return {place: count for place, count in counts.items() if count}


def everything(places: set[str]) -> dict[str, int]:
    return dict.fromkeys(sorted(places), len(SECRETS))


class Shop:
    """A project with the workflow, and the command line in it."""

    def __init__(self, folder: Path, *, masked: bool, **environment: str) -> None:
        self.folder = folder
        (folder / "main.yaml").write_text(WORKFLOW)
        self.log = folder / "shop.log"
        self.own = {
            "FLOWRUNNER_PLUGINS": str(PLUGIN),
            "FLOWRUNNER_RUNS": str(folder / "runs.sqlite3"),
            "SHOP_LOG": str(self.log),
            "UNMASKED": "" if masked else "1",
            **environment,
        }

    def run(self, code: int, *arguments: str, known: bool = True) -> tuple[str, str]:
        environment = {**os.environ, **self.own, **(SECRETS if known else {})}
        ended = run_command_text(*arguments, cwd=self.folder, env=environment, timeout=2 * HANG)
        assert ended.returncode == code, ended.stderr[-2000:]
        return ended.stdout, ended.stderr


def texts_of(output: str) -> str:
    """Return the texts of the errors in JSON output, where JSON has escaped them once more."""
    errors = json.loads(output)["errors"]
    assert errors
    return "\n".join("\n".join([e["message"], e["traceback"], *e["notes"]]) for e in errors)


def require(texts: dict[str, tuple[str, set[str]]], kept: str, *, masked: bool) -> None:
    """Require all secrets in each text where tasks have put them, or none if they are masked."""
    for place, (text, planted_there) in texts.items():
        seen = found(text)
        if masked:
            assert seen == {}, place
        else:  # a form may be the same in two places
            assert {each: seen[each] for each in planted_there} == everything(planted_there), place
    if masked:
        assert not found(kept)
        assert f"${{env.FLOWRUNNER_TEST_{COUNT - 1}}}" in kept


@pytest.mark.parametrize("masked", [False, True], ids=["off", "on"])
@pytest.mark.parametrize("engine", [(), ("--processes", "1")], ids=["threads", "processes"])
def test_embedded(engine: tuple[str, ...], masked: bool, tmp_path: Path) -> None:
    shop = Shop(tmp_path, masked=masked)
    shown = "".join(shop.run(1, "apply", "main.yaml", *engine))
    in_json = shop.run(1, "apply", "main.yaml", "--output", "json", *engine)
    with closing(connect(tmp_path / "runs.sqlite3")) as database:
        kept = b"\n".join(
            whole(each)
            for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            for row in database.execute(f"SELECT * FROM {table}").fetchall()
            for each in row
            if isinstance(each, bytes)
        ).decode("utf-8", "replace")
    expected = {
        "apply": (shown, PRINTED),  # it shows the first lines of an error
        "apply --output json, stderr": (in_json[1], PRINTED),
        "apply --output json": (texts_of(in_json[0]), RAISED),
        "the plugin's log file": (shop.log.read_text(), LOGGED),
        "show": (shop.run(0, "show", "last", known=False)[0], set()),
        "show --output json": (
            texts_of(shop.run(0, "show", "last", "--output", "json", known=False)[0]),
            RAISED,
        ),
    }
    require(expected, kept, masked=masked)


@pytest.mark.parametrize("masked", [False, True], ids=["off", "on"])
@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_own_workers(pool: str, masked: bool, redis: Redis, tmp_path: Path) -> None:
    """The worker has no secret in its environment; nor has the command that shows the run."""
    address = ClusterAddress(redis.url(12), redis.url(13))
    RedisClient.from_url(address.backend).flushdb()
    own = {"FLOWRUNNER_BROKER": address.broker, "FLOWRUNNER_BACKEND": address.backend}
    shop = Shop(tmp_path, masked=masked, **own)
    options = ("--pool", pool, "--", "-E")
    with OwnWorker(address, tmp_path, *options, environment=shop.own) as worker:
        worker.output = deque()  # all lines, not the last ones only
        shop.run(1, "apply", "main.yaml", "--output", "json")
        in_json, _ = shop.run(0, "show", "last", "--output", "json", known=False)
        kept = b"\n".join(map(whole, kept_in(address.backend))).decode("utf-8", "replace")
        assert worker.stop() == 0
        worker.wait_for("Task raises")
        log = "".join(worker.output)
    expected = {
        "the worker's log": (log, PRINTED | LOGGED | RAISED),
        "the plugin's log file": (shop.log.read_text(), LOGGED),
        "show --output json": (texts_of(in_json), RAISED),
    }
    require(expected, kept, masked=masked)
