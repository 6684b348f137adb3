"""The words of the language, and those of others.

What a file may hold is said by ``schemas/workflow.schema.json``; these tables are what messages
need besides: which keys are step keys, and what other systems call them.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "DOCUMENT_KEYS",
    "FOREIGN_KEYS",
    "MEANT_KEYS",
    "NEEDS_ELSEWHERE",
    "OPTIONS",
    "RESERVED_NAMES",
    "STEP_KEYS",
]

STEP_KEYS: Final = (
    *("task", "chain", "group", "chord", "each", "switch", "use", "graph"),
    *("map", "starmap", "chunks"),
)

#: Celery's own option names of a call.
OPTIONS: Final = (
    "queue",
    "routing_key",
    "priority",
    "countdown",
    "time_limit",
    "soft_time_limit",
    "headers",
)

_AGAIN: Final = "calls are made again with 'retry: 3', or 'retry: {max: 3, delay: 1}'"
_DAG: Final = "steps that need each other are 'graph: {name: step}'"
_EACH: Final = "a step once per item is 'each: LIST' with 'do: STEP'"
_FILE: Final = "another file as a step is 'use: FILE'"
_INPUTS: Final = "what a run is given stands under 'inputs:' of the document"
_LIMIT: Final = "seconds for a call are 'time_limit: N'; 'timeout' is the whole run's"
_MEMBERS: Final = "so many members at a time is 'max_parallel: N'"
_NAME: Final = "a step's own name is its 'id'"
_NEXT: Final = "steps one after the other are 'chain: [steps]'"
_RESCUE: Final = "a step that runs when another has failed is its 'on_error: STEP'"
_TASK: Final = "a step calls a task of a plugin: 'task: NAME'"
_TOLERATE: Final = "failures of members are let pass by 'tolerate: N'"

#: What other systems call 'needs'.
NEEDS_ELSEWHERE: Final = ("depends_on", "depends", "dependencies", "after", "upstream")

#: What people write in a step who come from somewhere else, and how that is said here.
FOREIGN_KEYS: Final[dict[str, str]] = {
    **dict.fromkeys(("foreach", "for_each", "forEach", "for", "loop", "expand", "partial"), _EACH),
    **dict.fromkeys(("with_items", "withItems", "with_sequence", "withSequence"), _EACH),
    **dict.fromkeys(("matrix", "strategy"), _EACH),
    "withParam": "a step once per item is 'each: ${prev}' with 'do: STEP'",
    "parallel": "steps side by side are 'group: [steps]'",
    **dict.fromkeys(("steps", "sequence", "then", "next", "link", "on_success"), _NEXT),
    **dict.fromkeys(("dag", "jobs", "tasks"), _DAG),
    **dict.fromkeys(NEEDS_ELSEWHERE, "a step of a 'graph' says 'needs: [names]'"),
    "if": "a condition is 'when: EXPRESSION'",
    "unless": "a condition is 'when: not (EXPRESSION)'",
    "case": "the first branch whose condition holds is 'switch: [{when: …, do: …}, {else: …}]'",
    **dict.fromkeys(("while", "until"), "nothing repeats until it holds, but 'retry: N' of a call"),
    **dict.fromkeys(("retries", "max_retries", "retry_policy", "retryStrategy"), _AGAIN),
    **dict.fromkeys(("retry_delay", "retry_backoff", "autoretry_for"), _AGAIN),
    **dict.fromkeys(("catch", "except", "rescue", "on_failure", "link_error", "errback"), _RESCUE),
    "try": "a step is written as it is, with 'on_error: STEP' beside it",
    **dict.fromkeys(("continue_on_error", "continue-on-error", "continueOn"), _TOLERATE),
    **dict.fromkeys(("allow_failure", "ignore_errors", "trigger_rule"), _TOLERATE),
    **dict.fromkeys(("parallelism", "concurrency", "max-parallel", "max_active_tasks"), _MEMBERS),
    **dict.fromkeys(("template", "templateRef", "include", "import", "uses", "workflow"), _FILE),
    **dict.fromkeys(("parameters", "params"), _INPUTS),
    "arguments": "arguments of a call are 'args: [values]' and 'kwargs: {name: value}'",
    **dict.fromkeys(("run", "script", "command", "shell", "container", "image"), _TASK),
    **dict.fromkeys(("call", "function", "operator", "action"), _TASK),
    **dict.fromkeys(("timeout-minutes", "execution_timeout", "activeDeadlineSeconds"), _LIMIT),
    **dict.fromkeys(("wait", "sleep", "delay", "eta"), "a call starts later by 'countdown: N'"),
    "expires": "no call of a run expires: 'timeout' of the document ends the run",
    "ignore_result": "results are kept, as what comes next needs them",
    **dict.fromkeys(("register", "task_id", "step_id"), _NAME),
    "op_args": "arguments of a call are 'args: [values]' and 'kwargs: {name: value}'",
    "op_kwargs": "arguments of a call are 'args: [values]' and 'kwargs: {name: value}'",
    **dict.fromkeys(
        ("schedule", "schedule_interval", "cron"),
        "nothing starts runs by the clock: let cron or Celery beat call 'flowrunner apply'",
    ),
}

#: The same for the keys within some values, by the name of what they are said of.
MEANT_KEYS: Final[dict[str, dict[str, str]]] = {
    "Retry": {
        **dict.fromkeys(("limit", "attempts", "times", "count", "retries", "max_retries"), "max"),
        **dict.fromkeys(("wait", "interval", "seconds", "countdown", "retry_delay"), "delay"),
        **dict.fromkeys(("factor", "multiplier", "exponential"), "backoff"),
        **dict.fromkeys(("max_delay", "max_interval", "backoff_max", "maxDuration"), "cap"),
        **dict.fromkeys(("on", "for", "autoretry_for"), "only"),
        **dict.fromkeys(("except", "exclude", "dont_autoretry_for"), "never"),
    },
    "Branch": {
        **dict.fromkeys(("if", "case", "condition"), "when"),
        **dict.fromkeys(("then", "step", "steps"), "do"),
        **dict.fromkeys(("default", "otherwise"), "else"),
    },
    "Chord": {
        **dict.fromkeys(("group", "steps", "tasks"), "header"),
        **dict.fromkeys(("callback", "then", "link"), "body"),
    },
}

#: What is said of a key of the whole document that stands in a step.
DOCUMENT_KEYS: Final[dict[str, str]] = {
    "timeout": _LIMIT,
    "name": _NAME,
    "inputs": "inputs are the document's; arguments of a call are its 'args' and 'kwargs'",
    "outputs": "outputs are the document's; a step's value has the name of its 'id'",
}

#: Names that mean something in every expression, so nothing else can have them.
RESERVED_NAMES: Final = frozenset(
    {
        *("inputs", "prev", "env", "errors", "true", "false", "null", "True", "False", "None"),
        *("and", "or", "not", "if", "else", "in", "is"),
        *(
            "for",
            "lambda",
            "await",
            "yield",
            "class",
            "def",
            "import",
            "from",
            "return",
            "while",
            "with",
            "as",
        ),
    }
)
