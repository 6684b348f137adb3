"""Patches of Celery, kombu and redis-py: every use of their private parts, every replaced method.

Each function names in its docstring what it changes or uses, the versions it was checked against,
the reason, and the public issue. ``tests/engines/test_celery_patches.py`` looks each name up in
the installed packages, and fails where another module uses a private part.
"""
