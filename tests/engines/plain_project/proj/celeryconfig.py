"""Settings such as projects have: names, routes and prefixes of their own."""

import json
import os

broker_url = os.environ.get("PROJ_BROKER")
result_backend = os.environ.get("PROJ_BACKEND")
broker_transport_options = {"global_keyprefix": "proj-"}
result_backend_transport_options = {"global_keyprefix": "proj-"}
task_default_queue = "proj"
task_routes = {"proj.tasks.routed": {"queue": "proj-routed"}}
imports = ["proj.more_tasks"]
timezone = "Europe/Vienna"

globals().update(json.loads(os.environ.get("PROJ_SETTINGS", "{}")))
