"""What people write who come from other systems, and how that is said here.

From Celery, Argo, GitHub Actions, Airflow, Ansible, Tekton, Step Functions and programming.
"""

from __future__ import annotations

from typing import Final

__all__ = ["FOREIGN_KEYS", "MEANT_KEYS", "NEEDS_ELSEWHERE"]

_AGAIN: Final = "calls are made again with 'retry: 3', or 'retry: {max: 3, delay: 1}'"
_ARGUMENTS: Final = "arguments of a call are 'args: [values]' and 'kwargs: {name: value}'"
_BRANCHES: Final = (
    "the first branch whose condition holds is 'switch: [{when: …, do: …}, {else: …}]'"
)
_CLOCK: Final = "nothing starts runs by the clock: let cron or Celery beat call 'flowrunner apply'"
_DAG: Final = "steps that need each other are 'graph: {name: step}'"
_EACH: Final = "a step once per item is 'each: LIST' with 'do: STEP'"
_ENV: Final = "variables of the environment are named under 'env: [NAMES]' of the document"
_FILE: Final = "another file as a step is 'use: FILE'"
_INPUTS: Final = "what a run is given stands under 'inputs:' of the document"
_LATER: Final = "a call starts later by 'countdown: N'"
_LIMIT: Final = "seconds for a call are 'time_limit: N'; 'timeout' is the whole run's"
_LOOP: Final = "nothing repeats until it holds, but 'retry: N' of a call"
_MEMBERS: Final = "so many members at a time is 'max_parallel: N'"
_NAME: Final = "a step's own name is its 'id'"
_NEEDS: Final = "a step of a 'graph' says 'needs: [names]'"
_NEXT: Final = "steps one after the other are 'chain: [steps]'"
_RESCUE: Final = "a step that runs when another has failed is its 'on_error: STEP'"
_SIDE_BY_SIDE: Final = "steps side by side are 'group: [steps]'"
_STARTS: Final = (
    "nothing starts runs by itself: cron, Celery beat or a program calls 'flowrunner apply'"
)
_VERSION: Final = "the version of the language is 'flowrunner: 1'"
_TASK: Final = "a step calls a task of a plugin: 'task: NAME'"
_TOLERATE: Final = "failures of members are let pass by 'tolerate: N'"

#: What other systems call 'needs'.
NEEDS_ELSEWHERE: Final = (
    *("depends_on", "depends", "dependsOn", "dependencies", "after", "runAfter", "upstream"),
    *("requires", "wait_for"),
)

#: Keys of steps, with what to write instead.
FOREIGN_KEYS: Final[dict[str, str]] = {
    **dict.fromkeys(("foreach", "for_each", "forEach", "for", "loop", "expand", "partial"), _EACH),
    **dict.fromkeys(("with_items", "withItems", "with_sequence", "withSequence"), _EACH),
    **dict.fromkeys(("with_list", "with_dict", "matrix", "strategy", "items"), _EACH),
    "withParam": "a step once per item is 'each: ${prev}' with 'do: STEP'",
    **dict.fromkeys(("parallel", "concurrent"), _SIDE_BY_SIDE),
    **dict.fromkeys(("steps", "sequence", "serial", "pipeline", "block"), _NEXT),
    **dict.fromkeys(("then", "next", "link", "on_success", "onSuccess"), _NEXT),
    **dict.fromkeys(("callback", "callbacks"), "what is given a group's list is a chord's 'body'"),
    **dict.fromkeys(("dag", "jobs", "tasks", "states", "nodes"), _DAG),
    **dict.fromkeys(NEEDS_ELSEWHERE, _NEEDS),
    **dict.fromkeys(("if", "condition", "only_if"), "a condition is 'when: EXPRESSION'"),
    "unless": "a condition is 'when: not (EXPRESSION)'",
    **dict.fromkeys(
        ("case", "cases", "choice", "choices", "match", "branch", "branches"), _BRANCHES
    ),
    **dict.fromkeys(("elif", "otherwise", "default"), _BRANCHES),
    **dict.fromkeys(("while", "until", "do_while", "do_until"), _LOOP),
    **dict.fromkeys(("retries", "max_retries", "retry_policy", "retryStrategy"), _AGAIN),
    **dict.fromkeys(("retry_delay", "retry_backoff", "autoretry_for", "attempts"), _AGAIN),
    **dict.fromkeys(("catch", "except", "rescue", "on_failure", "onFailure", "onError"), _RESCUE),
    **dict.fromkeys(("link_error", "errback", "fallback"), _RESCUE),
    "try": "a step is written as it is, with 'on_error: STEP' beside it",
    **dict.fromkeys(("always", "on_exit", "onExit"), "'finally' of the document runs in any case"),
    **dict.fromkeys(("continue_on_error", "continue-on-error", "continueOn"), _TOLERATE),
    **dict.fromkeys(
        ("allow_failure", "ignore_errors", "ignore_failure", "trigger_rule"), _TOLERATE
    ),
    **dict.fromkeys(("fail_fast", "fail-fast", "failFast", "max_failures"), _TOLERATE),
    **dict.fromkeys(("parallelism", "concurrency", "max-parallel", "max_active_tasks"), _MEMBERS),
    **dict.fromkeys(("max_workers", "max_concurrency", "maxConcurrency"), _MEMBERS),
    **dict.fromkeys(("template", "templateRef", "include", "import", "uses", "workflow"), _FILE),
    **dict.fromkeys(("include_tasks", "import_tasks", "subworkflow"), _FILE),
    **dict.fromkeys(("parameters", "params", "variables", "vars", "input"), _INPUTS),
    **dict.fromkeys(("arguments", "op_args", "op_kwargs", "argument"), _ARGUMENTS),
    **dict.fromkeys(("run", "script", "command", "shell", "container", "image"), _TASK),
    **dict.fromkeys(("call", "function", "func", "operator", "action", "signature"), _TASK),
    **dict.fromkeys(("environment", "secrets", "secret", "envFrom"), _ENV),
    **dict.fromkeys(("timeout-minutes", "execution_timeout", "activeDeadlineSeconds"), _LIMIT),
    **dict.fromkeys(("timeout_seconds", "timeoutSeconds"), _LIMIT),
    **dict.fromkeys(("wait", "sleep", "delay", "eta"), _LATER),
    "expires": "no call of a run expires: 'timeout' of the document ends the run",
    "ignore_result": "results are kept, as what comes next needs them",
    **dict.fromkeys(("register", "save_as", "task_id", "step_id"), _NAME),
    **dict.fromkeys(("version", "apiVersion", "schema_version"), _VERSION),
    **dict.fromkeys(("on", "trigger", "triggers", "events"), _STARTS),
    **dict.fromkeys(("title", "label"), "the workflow's name is 'name: NAME'"),
    **dict.fromkeys(("schedule", "schedule_interval", "cron"), _CLOCK),
}

_INPUT: Final = {
    **dict.fromkeys(("choices", "options", "values", "oneOf", "one_of"), "enum"),
    **dict.fromkeys(("min", "min_value"), "minimum"),
    **dict.fromkeys(("max", "max_value"), "maximum"),
    **dict.fromkeys(("regex", "match"), "pattern"),
    "min_length": "minLength",
    "max_length": "maxLength",
    "value": "default",
    **dict.fromkeys(("desc", "help"), "description"),
}

#: Keys of other mappings, by the title of their schema, with the key that is meant.
MEANT_KEYS: Final[dict[str, dict[str, str]]] = {
    "Each": {
        **dict.fromkeys(("step", "steps", "then", "run", "body", "call", "template"), "do"),
        **dict.fromkeys(("item", "var", "variable", "loop_var", "index"), "as"),
    },
    "Retry": {
        **dict.fromkeys(("limit", "attempts", "times", "count", "retries", "max_retries"), "max"),
        **dict.fromkeys(("max_attempts",), "max"),
        **dict.fromkeys(("wait", "interval", "seconds", "countdown", "retry_delay"), "delay"),
        **dict.fromkeys(("interval_start", "default_retry_delay", "duration"), "delay"),
        **dict.fromkeys(("factor", "multiplier", "exponential", "retry_backoff"), "backoff"),
        **dict.fromkeys(("max_delay", "max_interval", "backoff_max", "maxDuration"), "cap"),
        **dict.fromkeys(("interval_max", "retry_backoff_max"), "cap"),
        "retry_jitter": "jitter",
        **dict.fromkeys(("on", "for", "autoretry_for", "retry_on", "exceptions"), "only"),
        **dict.fromkeys(("except", "exclude", "dont_autoretry_for", "ignore"), "never"),
    },
    "Branch": {
        **dict.fromkeys(("if", "case", "condition"), "when"),
        **dict.fromkeys(("then", "step", "steps"), "do"),
        **dict.fromkeys(("default", "otherwise"), "else"),
    },
    "Chord": {
        **dict.fromkeys(("group", "members", "steps", "tasks"), "header"),
        **dict.fromkeys(("callback", "then", "link", "do"), "body"),
    },
    "Input definition": _INPUT,
    "Definition of a value": _INPUT,
}
