"""What people write who come from other systems, and how that is said here.

From Celery, Argo, GitHub Actions, Airflow, Ansible, Tekton, Step Functions and programming.
"""

from __future__ import annotations

from typing import Final

__all__ = ["FOREIGN_KEYS", "MEANT_KEYS", "NEEDS_ELSEWHERE"]

_AGAIN: Final = "use 'retry: 3', or 'retry: {max: 3, delay: 1}'"
_ARGUMENTS: Final = "write the arguments as 'args: [values]' or 'kwargs: {name: value}'"
_BRANCHES: Final = "to choose a step, use 'switch: [{when: …, do: …}, {else: …}]'"
_CLOCK: Final = "to start runs on a schedule, call 'flowrunner apply' from cron or Celery beat"
_DAG: Final = "for steps that need each other, use 'graph: {name: step}'"
_EACH: Final = "to run a step for each item, use 'each: LIST' with 'do: STEP'"
_ENV: Final = "list environment variables in the document's 'env: [NAMES]'"
_FILE: Final = "to run another file as a step, use 'use: FILE'"
_INPUTS: Final = "declare the run's inputs in the document's 'inputs:'"
_LATER: Final = "to start a call later, use 'countdown: N'"
_LIMIT: Final = "to limit a call, use 'time_limit: N'; 'timeout' limits the run"
_LOOP: Final = "to repeat a call that fails, use 'retry: N'; there is no other loop"
_MEMBERS: Final = "to limit the members that run at a time, use 'max_parallel: N'"
_NAME: Final = "to name a step, use 'id: NAME'"
_NEEDS: Final = "in a step of a 'graph', use 'needs: [names]'"
_NEXT: Final = "to run steps one after another, use 'chain: [steps]'"
_RESCUE: Final = "to run another step after a failure, use 'on_error: STEP'"
_SIDE_BY_SIDE: Final = "to run steps in parallel, use 'group: [steps]'"
_STARTS: Final = (
    "to start runs automatically, call 'flowrunner apply' from cron, Celery beat or a program"
)
_VERSION: Final = "to set the language version, use 'flowrunner: 1'"
_TASK: Final = "to call a task of a plugin, use 'task: NAME'"
_TOLERATE: Final = "to tolerate failures of members, use 'tolerate: N'"

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
    "withParam": "to run a step for each item, use 'each: ${prev}' with 'do: STEP'",
    **dict.fromkeys(("parallel", "concurrent"), _SIDE_BY_SIDE),
    **dict.fromkeys(("steps", "sequence", "serial", "pipeline", "block"), _NEXT),
    **dict.fromkeys(("then", "next", "link", "on_success", "onSuccess"), _NEXT),
    **dict.fromkeys(
        ("callback", "callbacks"),
        "to run a step with the results of a group, use 'body' of a 'chord'",
    ),
    **dict.fromkeys(("dag", "jobs", "tasks", "states", "nodes"), _DAG),
    **dict.fromkeys(NEEDS_ELSEWHERE, _NEEDS),
    **dict.fromkeys(("if", "condition", "only_if"), "for a condition, use 'when: EXPRESSION'"),
    "unless": "for a condition, use 'when: not (EXPRESSION)'",
    **dict.fromkeys(
        ("case", "cases", "choice", "choices", "match", "branch", "branches"), _BRANCHES
    ),
    **dict.fromkeys(("elif", "otherwise", "default"), _BRANCHES),
    **dict.fromkeys(("while", "until", "do_while", "do_until"), _LOOP),
    **dict.fromkeys(("retries", "max_retries", "retry_policy", "retryStrategy"), _AGAIN),
    **dict.fromkeys(("retry_delay", "retry_backoff", "autoretry_for", "attempts"), _AGAIN),
    **dict.fromkeys(("catch", "except", "rescue", "on_failure", "onFailure", "onError"), _RESCUE),
    **dict.fromkeys(("link_error", "errback", "fallback"), _RESCUE),
    "try": "write the step itself, with 'on_error: STEP' beside it",
    **dict.fromkeys(
        ("always", "on_exit", "onExit"),
        "to run a step at the end of every run, write 'finally' in the document",
    ),
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
    "expires": "to end the run after a time, use 'timeout' of the document; calls do not expire",
    "ignore_result": "remove it: later steps need the results",
    **dict.fromkeys(("register", "save_as", "task_id", "step_id"), _NAME),
    **dict.fromkeys(("version", "apiVersion", "schema_version"), _VERSION),
    **dict.fromkeys(("on", "trigger", "triggers", "events"), _STARTS),
    **dict.fromkeys(("title", "label"), "to name the workflow, use 'name: NAME'"),
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
