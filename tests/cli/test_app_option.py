"""``-A``: an existing Celery app, found as ``celery -A`` finds it, or why it is not used."""

from __future__ import annotations

import json

import pytest

from tests.cli.commands import Folder

APP = """
from celery import Celery, shared_task

app = Celery("shop", broker="redis://127.0.0.1:1/0", backend="redis://127.0.0.1:1/1")

@app.task
def price(item: str, amount: int = 1) -> int:
    '''Return what so many of an item cost.'''
    return amount

@app.task(bind=True, autoretry_for=(OSError,))
def send(self, receipt: int):
    pass
"""


@pytest.fixture
def shop(folder: Folder) -> Folder:
    """A folder with a package that has an app, another one and none."""
    for package in ("shop", "shop/celery", "bare"):
        (folder.path / package).mkdir()
    folder.write("shop/__init__.py", "")
    folder.write("shop/celery/__init__.py", APP)
    folder.write("shop/other.py", APP.replace("app = C", "tills = C").replace("@app", "@tills"))
    folder.write("shop/broken.py", "import json\nimport no_such_library\n")
    folder.write("shop/raises.py", "1 / 0\n")
    folder.write("shop/leaves.py", "import sys\nprint('out')\nsys.exit(3)\n")
    folder.write("shop/syntax.py", "def\n")
    folder.write("shop/imports.py", f"{APP}\napp.conf.imports = ['shop.nowhere']\n")
    folder.write(
        "shop/config.py",
        "from celery import Celery\napp = Celery()\napp.config_from_object('shop.nowhere')\n",
    )
    folder.write("shop/made.py", f"{APP}\ndef make_app():\n    return app\nname = 'shop'\n")
    folder.write("bare/__init__.py", "")
    return folder


@pytest.mark.parametrize(
    "name",
    ["shop", "shop.celery", "shop.celery:app", "shop.other", "shop.other:tills", "shop.made:app"],
)
def test_an_app_is_found_as_celery_finds_it(shop: Folder, name: str) -> None:
    ended = shop.run("tasks", "-A", name, "--output", "json")
    assert ended.code == 0, ended.err
    found = {row["task"]: row for row in json.loads(ended.out) if row["plugin"] == f"app {name}"}
    module = {"shop": "shop.celery"}.get(name, name.partition(":")[0])
    assert set(found) == {f"{module}.price", f"{module}.send"}
    price = found[f"{module}.price"]
    assert price["signature"] == "(item: str, amount: int = 1) -> int"
    assert price["description"] == "Return what so many of an item cost."
    assert found[f"{module}.send"]["signature"] == "(receipt: int)"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("shopp", "is not there: there is no module shopp in "),
        ("shop.celerie", "is not there: there is no module shop.celerie in "),
        ("shop.other.app", "is not there: shop.other has no 'app'; its Celery apps: tills"),
        ("shop.other:till", "is not there: shop.other has no 'till'; did you mean 'tills'?"),
        ("shop.raises:app", "cannot be imported: ZeroDivisionError: division by zero ("),
        ("shop.broken", "cannot be imported: ModuleNotFoundError: No module named 'no_such_"),
        ("shop.leaves", "cannot be imported: SystemExit: 3 ("),
        ("shop.syntax", "cannot be imported: SyntaxError: invalid syntax"),
        ("bare", "is not there: bare has no Celery app; create one with app = Celery(…)"),
        ("shop.made:name", "is a str, not a Celery app: name a Celery(…)"),
        (
            "shop.made:make_app",
            "is a function, not a Celery app; flowrunner does not call a function",
        ),
        ("shop.imports:app", "cannot load its tasks or its configuration: ModuleNotFoundError"),
        ("shop.config:app", "cannot load its tasks or its configuration: "),
        (".", "is not a valid name; name an app like 'package.module:app'"),
        ("shop/celery.py", "is not there: there is no module shop/celery in "),
    ],
)
def test_what_keeps_an_app_from_being_loaded_is_said(shop: Folder, name: str, words: str) -> None:
    for command in (("tasks",), ("apply", "powersum.yaml")):
        ended = shop.run(*command, "-A", name)
        assert (ended.code, ended.out) == (2, "")
        assert f"error: the Celery app '{name}' (-A) {words}" in ended.err
        assert "Traceback" not in ended.err


def test_the_place_of_a_fault_in_the_apps_code_is_said(shop: Folder) -> None:
    assert "shop/broken.py:2)" in shop.run("tasks", "-A", "shop.broken").err
    assert "shop/raises.py:1)" in shop.run("tasks", "-A", "shop.raises").err


def test_the_app_may_be_a_setting_and_then_stands_beside_it(shop: Folder) -> None:
    inner = Folder(shop.path / "workflows")
    inner.path.mkdir()
    inner.write("price.yaml", "{task: shop.celery.price, args: [apple]}")
    shop.write("flowrunner.toml", 'app = "shop"\n')
    assert inner.run("validate", "price.yaml").code == 0
    shop.write("flowrunner.toml", "")
    assert inner.run("validate", "price.yaml").code == 2
    assert shop.run("validate", "workflows/price.yaml", FLOWRUNNER_APP="shop").code == 0
    assert shop.run("validate", "workflows/price.yaml", "--app", "shop").code == 0


def test_calls_of_its_tasks_are_checked(shop: Folder) -> None:
    wrong = shop.write(
        "wrong.yaml",
        "chain: [{task: shop.celery.price, kwargs: {itm: a}}, shop.celery.prise,\n"
        "        {task: shop.celery.send, args: [1, 2]}]\n",
    )
    ended = shop.run("validate", wrong, "-A", "shop")
    assert "task 'shop.celery.price' has no argument 'itm'" in ended.err
    assert "neither shop nor a plugin provides it; did you mean 'shop.celery.price'?" in ended.err
    assert "task 'shop.celery.send' receives the previous result and 2 more positional" in ended.err


def test_the_graph_needs_no_broker(shop: Folder) -> None:
    name = shop.write("price.yaml", "{task: shop.celery.price, times: 3, args: [apple]}")
    assert 'shop.celery.price("apple") ×3' in shop.run("graph", name, "-A", "shop").out
    assert 'shop.celery.price("apple") ×3' in shop.run("apply", name, "-A", "shop", "--dry-run").out


def test_a_run_with_an_app_goes_to_its_broker_and_never_stays_here(shop: Folder) -> None:
    name = shop.write("price.yaml", "{task: shop.celery.price, args: [apple]}")
    ended = shop.run("apply", name, "-A", "shop")
    assert (ended.code, ended.out) == (3, "")
    assert "the broker redis://127.0.0.1:1/0 cannot be reached" in ended.err
    ended = shop.run("apply", name, "-A", "shop", "--processes", "2")
    assert (ended.code, ended.out) == (2, "")
    assert "--processes is for the embedded engine" in ended.err


PLUGIN = """
from flowrunner import hookimpl
from shop.celery import price

{function}

@hookimpl
def flowrunner_register_tasks(registry):
    registry.add({task})
"""


def test_a_plugin_may_register_the_apps_own_task_with_options(shop: Folder) -> None:
    shop.write("plugin.py", PLUGIN.format(function="", task="price, queue='tills'"))
    ended = shop.run("tasks", "-A", "shop", "--plugin", "plugin.py", "--output", "json")
    assert ended.code == 0, ended.err
    row = next(row for row in json.loads(ended.out) if row["task"] == "shop.celery.price")
    assert (row["plugin"], row["options"]) == ("plugin.py", {"queue": "'tills'"})


def test_a_name_that_a_plugin_and_the_app_give_to_two_tasks_is_refused(shop: Folder) -> None:
    function = "def other(): pass"
    shop.write(
        "plugin.py", PLUGIN.format(function=function, task="other, name='shop.celery.price'")
    )
    ended = shop.run("tasks", "-A", "shop", "--plugin", "plugin.py")
    assert (ended.code, ended.out) == (2, "")
    assert (
        "the task 'shop.celery.price' is registered twice, by plugin plugin.py and by the Celery "
        "app shop; give the plugin's another name with registry.add(function, name=…)"
    ) in ended.err


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("broker_url = None", "no broker is configured in it: set broker_url there, or give --br"),
        ("result_backend = None", "it has no result backend: set result_backend there, or give "),
        ("task_always_eager = True", "task_always_eager is on, so nothing would be queued"),
        ("task_protocol = 1", "task_protocol is 1, which loses the later steps"),
        ("result_serializer = 'pickle'", "result_serializer is 'pickle', but tasks of a wo"),
        ("accept_content = ['pickle']", "accept_content lacks 'json'"),
        ("result_accept_content = ['yaml']", "result_accept_content lacks 'json'"),
        (
            "result_backend_transport_options = {'result_chord_ordered': False}",
            "result_chord_ordered is off in result_backend_transport_options",
        ),
        ("result_expires = 5", "result_expires is 5 s, within which a run could miss a result"),
    ],
)
def test_a_configuration_that_cannot_run_workflows_is_refused_before_anything_is_queued(
    shop: Folder, settings: str, words: str
) -> None:
    app = "from celery import Celery\napp = Celery('shop')\n@app.task\ndef one(): return 1\n"
    addresses = "broker_url='redis://127.0.0.1:1/0', result_backend='redis://127.0.0.1:1/1'"
    setting, _, value = settings.partition(" = ")
    shop.write("unfit.py", f"{app}\napp.conf.update({addresses})\napp.conf.{setting} = {value}\n")
    name = shop.write("one.yaml", "task: unfit.one")
    ended = shop.run("apply", name, "-A", "unfit")
    assert (ended.code, ended.out) == (2, "")
    assert f"error: the Celery app unfit cannot run workflows: {words}" in ended.err


def test_celerys_own_variables_do_not_reach_a_run_that_was_told_where_to_go(
    folder: Folder,
) -> None:
    nowhere = {
        "CELERY_BROKER_URL": "redis://127.0.0.1:1/0",
        "CELERY_RESULT_BACKEND": "redis://127.0.0.1:1/1",
    }
    ended = folder.run("apply", "powersum.yaml", **nowhere)
    assert (ended.code, ended.out) == (0, "285\n"), ended.err
    addresses = ("--broker", "redis://127.0.0.1:2/0", "--backend", "redis://127.0.0.1:2/1")
    ended = folder.run("apply", "powersum.yaml", *addresses, **nowhere)
    assert "the broker redis://127.0.0.1:2/0 cannot be reached" in ended.err
