"""The lab: every model of the texts in a browser, step by step, on the user's own data.

A `Scene` turns data and parameters into the states of a real fit, and each state into a
`Frame`: pictures made of marks, the rule with this step's numbers, the objective. The page
draws any scene from that declaration. `kiso lab` serves it.
"""

from ._controls import Action, Choice, Flag, Layers, Many, Number
from ._data import POINT_SETS, PointSet, make_points
from ._drawings import make_drawings
from ._marks import Axis, Picture
from ._scene import (
    Check,
    DataSpec,
    Frame,
    Msg,
    Rule,
    Scene,
    Setup,
    Task,
    View,
    all_scenes,
    scene_named,
)
from ._timeline import Timeline

__all__ = [
    "POINT_SETS",
    "Action",
    "Axis",
    "Check",
    "Choice",
    "DataSpec",
    "Flag",
    "Frame",
    "Layers",
    "Many",
    "Msg",
    "Number",
    "Picture",
    "PointSet",
    "Rule",
    "Scene",
    "Setup",
    "Task",
    "Timeline",
    "View",
    "all_scenes",
    "make_drawings",
    "make_points",
    "scene_named",
]
