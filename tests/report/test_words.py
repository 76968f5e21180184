import pytest

from kiso.report._words import between, count, decimals, fixed, number, percent, seconds, size

NAN = float("nan")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (12345.678, "12,346"), (-0.5, "−0.5"), (0.000123456, "0.0001235"),
        (1e-9, "1e-09"), (1.5e9, "1.5e+09"), (NAN, "–"), (None, "–"), (float("-inf"), "−∞"),
    ],
)  # fmt: skip
def test_number(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0 µs"), (2.5e-4, "250 µs"), (0.9996e-3, "1 ms"), (0.25, "250 ms"), (1.0, "1 s"),
        (99.9, "99.9 s"), (99.99, "1 min 40 s"), (3599.9, "1 h 0 min"), (NAN, "–"), (None, "–"),
    ],
)  # fmt: skip
def test_seconds(value, text):
    assert seconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (2_540_000, "2.54 MB"), (3e9, "3 GB"),
     (3e13, "30,000 GB"), (None, "–")],
)  # fmt: skip
def test_size(value, text):
    assert size(value) == text


def test_columns_have_the_same_number_of_decimals():
    assert decimals([0.9, 0.01, NAN]) == 4
    assert decimals([35_000.0]) == 0
    assert decimals([]) == 3
    assert [fixed(v, 2) for v in (0.9, -0.001, -12.345, NAN)] == ["0.90", "0.00", "−12.35", "–"]


def test_counts():
    assert count(1234567) == "1,234,567"
    assert count(None) == "–"
    assert between([30, 31, 30]) == "30 to 31"
    assert between([30, 30]) == "30"
    assert between([]) == "–"
    assert percent(0.1234) == "12.3 %"
