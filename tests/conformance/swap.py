"""pytest plugin: kiso's classes in scikit-learn's modules, and which of them a test fits.

Loaded by name (``-p tests.conformance.swap``) in a process of its own, so that the names are
swapped before scikit-learn's test modules bind them. Each report carries, as the user
property "kiso", the classes that the test constructed and those that it fitted.
"""

import functools
import inspect
import os
import signal
import threading
from importlib import import_module

import pytest

_FITS = ("fit", "partial_fit", "fit_transform", "fit_predict")
_seen = {"made": set(), "fitted": set()}


def _watch_class(cls, label):
    made = cls.__new__

    def new(klass, *args, **kwargs):
        _seen["made"].add(label)
        return made(klass) if made is object.__new__ else made(klass, *args, **kwargs)

    cls.__new__ = new
    for name in _FITS:
        method = getattr(cls, name, None)
        stands = inspect.getattr_static(cls, name, None)
        if hasattr(stands, "fn") and hasattr(stands, "check"):  # `available_if`
            stands.fn = _watched(stands.fn, label)
        elif callable(method):
            setattr(cls, name, _watched(method, label))


def _watched(function, label):
    @functools.wraps(function)
    def call(*args, **kwargs):
        _seen["made"].add(label)
        _seen["fitted"].add(label)
        return function(*args, **kwargs)

    return call


def _swap():
    from kiso.patch import patch_sklearn

    for name in patch_sklearn():
        module, _, attribute = name.rpartition(".")
        value = getattr(import_module(module), attribute)
        label = name.removeprefix("sklearn.")
        if isinstance(value, type):
            _watch_class(value, label)
        else:
            setattr(import_module(module), attribute, _watched(value, label))


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests():
    _swap()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    _seen["made"], _seen["fitted"] = set(), set()
    limit = int(os.environ.get("KISO_CONFORMANCE_TIMEOUT", "120"))
    alarm = threading.current_thread() is threading.main_thread() and hasattr(signal, "alarm")
    if alarm:
        signal.signal(signal.SIGALRM, functools.partial(_too_long, limit))
        signal.alarm(limit)
    try:
        return (yield)
    finally:
        if alarm:
            signal.alarm(0)
        found = {key: sorted(labels) for key, labels in _seen.items()}
        item.user_properties.append(("kiso", found))


def _too_long(limit, *_):
    raise TimeoutError(f"the test ran longer than {limit} s")
