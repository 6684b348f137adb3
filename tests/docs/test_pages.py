"""What the pages say that a workflow gives is what it gives."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from flowrunner.errors import WorkflowError
from flowrunner.render.diagnostics import format_diagnostics
from flowrunner.render.outcome import result_text
from tests.docs.examples import Example, Said, examples_of, files_of, unmarked_blocks
from tests.shipped import ROOT, Shipped, shipped

PAGES = [ROOT / "docs" / name for name in ("language.md", "coming-from.md")]
EXAMPLES = [(page, example) for page in PAGES for example in examples_of(page)]
SAID = [(page, example, said) for page, example in EXAMPLES for said in example.said]


@pytest.fixture(scope="module")
def repository() -> Iterator[Shipped]:
    with shipped() as running:
        yield running


@pytest.fixture(autouse=True)
def _in_its_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("API_TOKEN", "the token of the tests")


def written(page: Path, example: Example, folder: Path) -> Path:
    """Write an example, and the files of its page, into a folder."""
    for name, text in files_of(page).items():
        (folder / name).write_text(text, encoding="utf-8")
    file = folder / f"{example.name}.yaml"
    file.write_text(example.text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("page", "example", "said"),
    SAID,
    ids=[f"{page.stem}-{example.name}-{' '.join(said.inputs)}" for page, example, said in SAID],
)
def test_an_example_does_what_the_page_says(
    page: Path, example: Example, said: Said, tmp_path: Path, repository: Shipped
) -> None:
    file = written(page, example, tmp_path)
    inputs = [_in(tmp_path, each) for each in said.inputs]
    if said.verb == "refused":
        with pytest.raises(WorkflowError) as refused:
            repository.plan(file, inputs)
        assert said.what in format_diagnostics(refused.value.diagnostics)
        return
    outcome = repository.run(file, inputs)
    if said.verb == "fails":
        assert outcome.state == "FAILURE"
        assert said.what in "\n".join(
            [outcome.reason, *(f"{error.type}: {error.message}" for error in outcome.errors)]
        )
        return
    assert outcome.errors == ()
    assert " ".join(result_text(outcome.result).split()) == _in(tmp_path, said.what)


def _in(folder: Path, text: str) -> str:
    return text.replace("{folder}", str(folder))


@pytest.mark.parametrize(
    ("page", "example"),
    [(page, example) for page, example in EXAMPLES if example.kind],
    ids=[f"{page.stem}-{example.name}" for page, example in EXAMPLES if example.kind],
)
def test_an_example_is_in_celery_what_the_page_says(
    page: Path, example: Example, tmp_path: Path, repository: Shipped
) -> None:
    unfolds = repository.plan(written(page, example, tmp_path)).unfolds
    assert example.kind == ("dynamic" if unfolds else "one canvas")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_block_says_what_it_is(page: Path) -> None:
    assert unmarked_blocks(page) == []
    examples = list(examples_of(page))
    assert all(example.said for example in examples)
    assert len({example.name for example in examples}) == len(examples)
