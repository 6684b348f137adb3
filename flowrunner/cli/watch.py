"""``flowrunner watch``."""

from __future__ import annotations

import click

from flowrunner.cli.options import app_option, cluster_options, output_option, plugin_option

__all__ = ["command"]


@click.command("watch")
@click.argument("run", metavar="RUN")
@output_option
@cluster_options
@app_option
@plugin_option
def command(
    run: str,
    output: str,
    broker: str | None,
    backend: str | None,
    app: str | None,
    plugins: tuple[str, ...],
) -> int:
    """Follow RUN to its end, from any machine, and print how it ended.

    RUN is the id of a run, the first characters of it, or 'last' for the newest one. Ctrl-C stops
    watching; the run goes on. Where nobody drives the run any more, watch goes on with it.
    Exits as 'apply' does.
    """
    from flowrunner.app import Project
    from flowrunner.cli.recorded import required_store
    from flowrunner.cli.watching import watched_to_the_end
    from flowrunner.settings import load_settings

    settings = load_settings(plugins=plugins, app=app, broker=broker, backend=backend)
    project = Project(settings)
    store = required_store(project)
    return watched_to_the_end(project, store, store.get(store.find(run)), output=output)
