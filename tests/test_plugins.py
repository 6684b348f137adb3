"""Finding, loading and checking plugins."""

import os
import pickle
import sys
import textwrap
from pathlib import Path

import pytest

from flowrunner.entry_points import may_have_entry_points
from flowrunner.errors import PluginError
from flowrunner.plugins import PluginManager, PluginReference, load_plugins


def write(folder: Path, name: str, body: str) -> PluginReference:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(textwrap.dedent(body), encoding="utf-8")
    return PluginReference(name, "--plugin", folder)


def registering(*functions: str) -> str:
    lines = ["from flowrunner import hookimpl"]
    lines += [f"def {name}(value):\n    return value" for name in functions]
    lines += ["@hookimpl\ndef flowrunner_register_tasks(registry):"]
    lines += [f"    registry.add({name})" for name in functions]
    return "\n".join(lines)


def refused(*references: PluginReference) -> str:
    with pytest.raises(PluginError) as caught:
        load_plugins(references).tasks()
    return str(caught.value)


@pytest.mark.parametrize("name", ["pipe.py", "pipe", "./pipe"])
def test_a_fifo_is_no_plugin(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    said = refused(PluginReference(name, "--plugin", tmp_path))
    assert said == f"plugin {name} (--plugin) is a FIFO; name a regular file"


def test_a_folder_of_plugins_holds_regular_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    said = refused(PluginReference(str(tmp_path), "--plugin"))
    assert "pipe.py (--plugin) is a FIFO, not a regular file" in said


def test_a_file_a_folder_and_a_module_can_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "one.py", registering("first"))
    write(tmp_path, "many/two.py", registering("second"))
    write(tmp_path, "many/three.py", registering("third"))
    write(tmp_path, "many/_hidden.py", "raise RuntimeError")
    write(tmp_path, "package/__init__.py", registering("fourth"))
    names = ("one.py", "many", "package")
    manager = load_plugins(PluginReference(name, "--plugin", tmp_path) for name in names)
    assert manager.tasks().names() == ["first", "fourth", "second", "third"]
    assert [plugin.name for plugin in manager.loaded] == [
        "one.py",
        "many/three.py",
        "many/two.py",
        "package",
    ]


def test_a_plugin_that_is_named_twice_is_loaded_once(tmp_path: Path) -> None:
    reference = write(tmp_path, "one.py", registering("first"))
    assert len(load_plugins([reference, reference]).loaded) == 1


def test_files_of_one_name_do_not_stand_in_for_each_other(tmp_path: Path) -> None:
    references = [
        write(tmp_path / "a", "queue.py", registering("first")),
        write(tmp_path / "b", "queue.py", registering("second")),
    ]
    assert load_plugins(references).tasks().names() == ["first", "second"]
    import queue

    assert hasattr(queue, "SimpleQueue")


@pytest.mark.parametrize(
    ("file", "module"),
    [
        ("well_named_tasks.py", "well_named_tasks"),
        ("oddly-named.tasks.py", "oddly_named_tasks"),
        ("well_named_package/__init__.py", "well_named_package"),
        ("own/queue.py", "own_queue"),  # the standard library has one
    ],
)
def test_a_file_is_the_module_that_a_person_would_call_it(
    tmp_path: Path, file: str, module: str
) -> None:
    (plugin,) = load_plugins([write(tmp_path, file, registering("first"))]).loaded
    assert plugin.module.__name__ == module
    assert sys.modules.pop(module) is plugin.module


def test_what_a_plugin_imports_is_no_second_copy_of_a_plugin(tmp_path: Path) -> None:
    write(tmp_path, "only_once.py", "class ShopError(Exception): pass\n" + registering("first"))
    write(
        tmp_path,
        "imports_once.py",
        "from only_once import ShopError\n" + registering("second"),
    )
    first, second = (
        each.module for each in load_plugins([PluginReference(str(tmp_path), "--plugin")]).loaded
    )
    assert first.ShopError is second.ShopError
    assert pickle.loads(pickle.dumps(first.ShopError("no"))).args == ("no",)


def test_a_plugin_may_import_what_stands_beside_it(tmp_path: Path) -> None:
    write(tmp_path, "beside_it_stands.py", "VALUE = 1")
    reference = write(tmp_path, "one.py", "import beside_it_stands\n" + registering("first"))
    load_plugins([reference])


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("raise ValueError('no')", "cannot be loaded: ValueError: no"),
        ("import no_such_module", "cannot be loaded: ModuleNotFoundError"),
        ("def (", "cannot be loaded: SyntaxError"),
        ("raise SystemExit(0)", "cannot be loaded: SystemExit"),
        ("VALUE = 1", "implements no hook; mark its functions with @flowrunner.hookimpl"),
        (
            "from flowrunner import hookimpl\n@hookimpl\ndef flowrunner_register_task(registry): 0",
            "implements 'flowrunner_register_task', which is not a hook of flowrunner; "
            "did you mean 'flowrunner_register_tasks'?",
        ),
        (
            "from flowrunner import hookimpl\n@hookimpl\ndef flowrunner_register_tasks(tasks): 0",
            "tasks",
        ),
        (
            "from flowrunner import hookimpl\n"
            "@hookimpl\ndef flowrunner_register_tasks(registry):\n    raise KeyError('gone')",
            "flowrunner_register_tasks raised KeyError: 'gone'",
        ),
        (registering("first", "first"), "two plugins register the task 'first': one.py and one.py"),
    ],
)
def test_a_plugin_that_is_wrong_is_named_with_its_fault(
    tmp_path: Path, body: str, words: str
) -> None:
    said = refused(write(tmp_path, "one.py", body))
    assert words in said
    assert "one.py" in said


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("registry.add(3)", "takes a function or a Celery task, not 3"),
        ("registry.add(lambda: 1)", "needs a name without spaces"),
        ("registry.add(print, name='two words')", "needs a name without spaces"),
        ("registry.add(coroutine)", "is a coroutine function, which Celery cannot run"),
    ],
)
def test_what_is_no_task_is_refused(tmp_path: Path, call: str, words: str) -> None:
    body = (
        "from flowrunner import hookimpl\nasync def coroutine(): 0\n"
        f"@hookimpl\ndef flowrunner_register_tasks(registry):\n    {call}\n"
    )
    assert words in refused(write(tmp_path, "one.py", body))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("none.py", "there is no such file or folder in "),
        ("none/", "there is no such file or folder in "),
        ("no_such_module_anywhere", "there is no module no_such_module_anywhere"),
        ("empty", "there is no .py file in "),
    ],
)
def test_a_plugin_that_is_not_there_is_named_with_who_named_it(
    tmp_path: Path, name: str, words: str
) -> None:
    (tmp_path / "empty").mkdir()
    said = refused(PluginReference(name, "FLOWRUNNER_PLUGINS", tmp_path))
    assert words in said
    assert "FLOWRUNNER_PLUGINS" in said


def test_two_plugins_of_one_task_are_both_named(tmp_path: Path) -> None:
    said = refused(
        write(tmp_path, "one.py", registering("same")),
        write(tmp_path, "two.py", registering("same")),
    )
    assert "one.py and two.py" in said


def installed(folder: Path, entry_points: str) -> None:
    """Put a package with entry points on a folder that stands for site-packages."""
    write(folder, "acme_plugin.py", registering("acme"))
    write(
        folder, "acme-1.2.dist-info/METADATA", "Metadata-Version: 2.1\nName: acme\nVersion: 1.2\n"
    )
    write(folder, "acme-1.2.dist-info/entry_points.txt", entry_points)


def test_an_installed_package_is_found_by_its_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path, "[flowrunner]\nacme = acme_plugin\n")
    monkeypatch.syspath_prepend(tmp_path)
    (plugin,) = load_plugins().loaded
    assert (plugin.name, plugin.version, plugin.origin) == ("acme", "1.2", "installed, acme")
    monkeypatch.delitem(sys.modules, "acme_plugin")


def test_the_quick_look_says_yes_where_there_may_be_entry_points(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not may_have_entry_points("flowrunner.nobody")
    installed(tmp_path, "[flowrunner.nobody]\nacme = acme_plugin\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert may_have_entry_points("flowrunner.nobody")


def test_the_quick_look_says_yes_where_it_cannot_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "archive.zip").touch()
    with monkeypatch.context() as patched:
        patched.setattr(sys, "path", [*sys.path, str(tmp_path / "archive.zip")])
        assert may_have_entry_points("flowrunner.nobody")

    class Finder:
        def find_distributions(self) -> None: ...

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder()])
    assert may_have_entry_points("flowrunner.nobody")


def test_every_plugin_configures_the_app(tmp_path: Path) -> None:
    body = (
        "from flowrunner import hookimpl\n"
        "@hookimpl\ndef flowrunner_configure_app(app):\n    app.append(__file__)\n"
    )
    manager: PluginManager = load_plugins(
        [write(tmp_path, "one.py", body), write(tmp_path, "two.py", body)]
    )
    configured: list[str] = []
    manager.configure_app(configured)
    assert [Path(file).name for file in configured] == ["one.py", "two.py"]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("registry.add(print, name='celery.map')", "are Celery's own"),
        ("registry.add(print, quue='x')", "takes no option 'quue'; did you mean 'queue'?"),
        ("registry.add(print, ignore_result=True)", "takes no option 'ignore_result'"),
        ("registry.add(print, bind=True)", "takes no option 'bind'"),
        ("registry.add(print, queue=5)", "the option 'queue' takes a str, not 5"),
        ("registry.add(print, name=5)", "a task's name must be a string, not 5"),
    ],
)
def test_what_is_no_option_of_a_task_is_refused(tmp_path: Path, call: str, words: str) -> None:
    body = (
        "from flowrunner import hookimpl\n"
        f"@hookimpl\ndef flowrunner_register_tasks(registry):\n    {call}\n"
    )
    assert words in refused(write(tmp_path, "one.py", body))


def test_a_builtin_that_tells_no_signature_takes_anything(tmp_path: Path) -> None:
    body = (
        "from flowrunner import hookimpl\n"
        "@hookimpl\ndef flowrunner_register_tasks(registry):\n    registry.add(max)\n"
    )
    (task,) = load_plugins([write(tmp_path, "one.py", body)]).tasks()
    assert str(task.signature) == "(*args, **kwargs)"


def test_a_plugin_without_a_name_is_not_the_whole_folder(tmp_path: Path) -> None:
    write(tmp_path, "setup.py", "raise RuntimeError")
    assert "a plugin without a name" in refused(PluginReference("", "--plugin", tmp_path))


@pytest.mark.parametrize("raised", ["GeneratorExit", "type('Own', (BaseException,), {})"])
def test_whatever_a_plugin_raises_is_told(tmp_path: Path, raised: str) -> None:
    assert "cannot be loaded" in refused(write(tmp_path, "one.py", f"raise {raised}()"))
