"""What the process that workers are forked from has imported: no thread is started here."""

import numpy  # noqa: F401
import sklearn.base  # noqa: F401

from . import _session, _timeline, scenes  # noqa: F401
