"""`find_clusters`: the groups that are there, and none that are not."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

import kiso.comparison._clusters as clustering
from kiso.comparison import CLUSTERS_SCHEMA, DataError, find_clusters, load


def groups(n=120, seed=0):
    """Three groups: in size, weight and kind; and their numbers."""
    rng = np.random.default_rng(seed)
    of = rng.permutation(np.repeat([0, 1, 2], [n // 2, n // 3, n - n // 2 - n // 3]))
    frame = pd.DataFrame(
        {
            "id": np.arange(1, n + 1),
            "size": np.array([100.0, 200.0, 100.0])[of] + 5 * rng.normal(size=n),
            "weight": np.array([1.0, 1.0, 9.0])[of] + 0.3 * rng.normal(size=n),
            "kind": np.where(of == 1, "flat", "house"),
        }
    )
    frame.loc[3, "size"] = np.nan
    return frame, of


def test_groups_are_found_and_described():
    frame, of = groups()
    found = find_clusters(load(frame))
    assert found.k == 3
    assert adjusted_rand_score(found.labels, of) == 1.0
    assert [cluster.n_rows for cluster in found.clusters] == [60, 40, 20]
    assert found.complete
    assert found.n_refits == 10
    assert found.agreement == 1.0
    assert all(cluster.stability == 1.0 for cluster in found.clusters)
    assert all(cluster.silhouette > 0.7 for cluster in found.clusters)
    assert [column.name for column in found.data.columns if not column.used] == ["id"]
    flats, heavy = found.clusters[1], found.clusters[2]
    by_name = {trait.feature: trait for trait in flats.traits}
    flat = by_name["kind = flat"]
    assert flat.share
    assert (flat.inside, flat.whole) == (1.0, pytest.approx(1 / 3))
    size = by_name["size"]
    assert not size.share
    inside = frame["size"][of == 1].fillna(frame["size"].median()).mean()
    whole = frame["size"].fillna(frame["size"].median()).mean()
    assert (size.inside, size.whole) == (pytest.approx(inside), pytest.approx(whole))
    spread = frame["size"].fillna(frame["size"].median()).std(ddof=0)
    assert size.deviations == pytest.approx((inside - whole) / spread)
    assert heavy.traits[0].feature == "weight"
    assert heavy.traits[0].inside == pytest.approx(frame["weight"][of == 2].mean())
    assert found.conclusion.startswith("3 clusters of 60, 40 and 20 rows, far apart")


def test_of_two_values_one_is_told():
    rng = np.random.default_rng(0)
    of = np.arange(90) % 2
    frame = pd.DataFrame({
        "light": np.where(of, "on", "off"), "a": 9 * of + rng.standard_normal(90),
        "b": 9 * of + rng.standard_normal(90), "kind": np.array(["x", "y", "z"])[np.arange(90) % 3],
    })  # fmt: skip
    for cluster in find_clusters(load(frame)).clusters:
        assert sum(trait.feature.startswith("light = ") for trait in cluster.traits) == 1


def test_the_plane_holds_rows_and_centres():
    frame, _ = groups()
    found = find_clusters(load(frame))
    points, labels = np.array(found.points), np.array(found.point_labels)
    assert points.shape == (120, 2)
    assert found.point_rows == list(range(120))
    assert labels.tolist() == found.labels
    for j, center in enumerate(found.centers):
        np.testing.assert_allclose(points[labels == j].mean(axis=0), center, atol=1e-9)
    assert 0.9 < sum(found.explained) <= 1
    assert len(found.axes) == 2


def test_one_cloud_is_said_to_be_one():
    frame = pd.DataFrame(np.random.default_rng(1).normal(size=(300, 4)), columns=list("abcd"))
    found = find_clusters(load(frame))
    assert found.gap_k == 1
    assert "The gap statistic finds no clusters" in found.conclusion
    assert "not apart" in found.conclusion or "hardly apart" in found.conclusion


def test_the_same_seed_gives_the_same():
    frame, _ = groups()
    one, two = (find_clusters(load(frame), random_state=3).to_dict() for _ in range(2))
    del one["seconds"], two["seconds"]
    assert one == two


def test_json_is_strict():
    found = find_clusters(load(groups()[0])).to_dict()
    assert found["schema"] == CLUSTERS_SCHEMA
    assert found["silhouette"][0] is None  # of one cluster there is none
    json.dumps(found, allow_nan=False)


def test_one_column_and_few_rows():
    found = find_clusters(load(pd.DataFrame({"x": [1.0, 1.1, 9.0, 9.1, 9.2]})))
    assert found.k == 2
    assert [cluster.n_rows for cluster in found.clusters] == [3, 2]
    assert all(point[1] == 0.0 for point in found.points)


def test_more_rows_than_fit_are_sampled(monkeypatch):
    monkeypatch.setattr(clustering, "CHOICE_ROWS", 50)
    monkeypatch.setattr(clustering, "LARGEST", 1)
    frame, of = groups()
    found = find_clusters(load(frame))
    assert (found.data.n_rows, found.data.n_rows_read, len(found.labels)) == (50, 120, 50)
    assert "a random 50 of 120 rows" in found.data.notes[-1]
    assert adjusted_rand_score(found.point_labels, of[found.point_rows]) == 1.0


def test_what_cannot_be_grouped():
    same = pd.DataFrame({"x": [1.0, 2.0] * 20, "y": ["a", "b"] * 20})
    with pytest.raises(DataError, match="2 different rows: nothing to group"):
        find_clusters(load(same))
    with pytest.raises(DataError, match=r"no column to group its rows by .*'x'"):
        find_clusters(load(pd.DataFrame({"x": [1.0] * 5})))


def test_interrupted_and_out_of_budget(monkeypatch):
    frame, _ = groups()
    late = find_clusters(load(frame), budget=1e-6)
    assert not late.complete
    assert not late.interrupted
    assert late.n_refits == 0
    assert np.isnan(late.agreement)
    assert np.isnan(late.clusters[0].stability)
    calls = []

    def breaks(*arguments):
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return 1.0

    monkeypatch.setattr(clustering, "adjusted_rand_score", breaks)
    broken = find_clusters(load(frame))
    assert broken.interrupted
    assert not broken.complete
    assert broken.n_refits == 2


def test_progress_is_told():
    class Watcher:
        def __init__(self):
            self.said = []

        def begin(self, totals):
            self.said.append(("begin", dict(totals)))

        def advance(self, name, done, note):
            self.said.append((name, done))

        def finish(self, name, status):
            raise AssertionError

        def end(self):
            self.said.append("end")

    watcher = Watcher()
    find_clusters(load(groups()[0]), watcher=watcher)
    totals = {"number of clusters": 1, "clusters": 1, "stability": 10}
    assert watcher.said[0] == ("begin", totals)
    assert watcher.said[-1] == "end"
    for name, total in totals.items():
        assert (name, total) in watcher.said
