"""Reading tables: every way of writing one, and every way of breaking one."""

import bz2
import datetime
import decimal
import gzip
import io
import lzma

import numpy as np
import pandas as pd
import pytest

from kiso.comparison import DataError, find_column, read_table, table_from


@pytest.fixture
def written(tmp_path):
    """Write a file and read it as a table."""

    def write(content, name="t.csv", **kwargs):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_table(path, **kwargs)

    return write


PLAIN = "a,b\n1,x\n2,y\n"


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        "a;b\n1;x\n2;y\n",
        "a\tb\n1\tx\n2\ty\n",
        "a|b\n1|x\n2|y\n",
        " a , b \n 1 , x \n 2 , y \n",
        '"a","b"\n"1","x"\n"2","y"\n',
        "a,b\r\n1,x\r\n2,y\r\n",
        "a,b\r1,x\r2,y\r",
        "\n\na,b\n1,x\n\n2,y\n\n\n",
        "a,b\n1,x\n2,y",
        "a,b,\n1,x,\n2,y,\n",
        "\ufeffa,b\n1,x\n2,y\n",
        PLAIN.encode("utf-16"),
        gzip.compress(PLAIN.encode(), mtime=0),
        bz2.compress(PLAIN.encode()),
        lzma.compress(PLAIN.encode()),
    ],
)
def test_one_table_written_in_many_ways(written, content):
    frame = written(content).frame
    assert list(frame.columns) == ["a", "b"]
    assert frame["a"].tolist() == [1, 2]
    assert frame["b"].tolist() == ["x", "y"]
    assert frame["a"].dtype == np.int64


def test_the_suffix_does_not_matter(written):
    assert written(gzip.compress(PLAIN.encode(), mtime=0), "t.txt").frame.shape == (2, 2)
    assert written(PLAIN, "t.csv.gz").frame.shape == (2, 2)


def test_blanks_as_delimiter(written):
    frame = written("  x   y\n 1  2.5\n 30 4.5\n").frame
    assert frame["y"].tolist() == [2.5, 4.5]


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_decimal_comma(written, delimiter):
    text = "size;price\n1,5;1.234,50\n2,25;10,00\n".replace(";", delimiter)
    frame = written(text).frame
    assert frame["size"].tolist() == [1.5, 2.25]
    assert frame["price"].tolist() == [1234.5, 10.0]


def test_grouped_digits_and_currency(written):
    table = written('p,q\n"$1,200",45%\n"$3,400.50",50%\n')
    assert table.frame["p"].tolist() == [1200, 3400.5]
    assert table.frame["q"].tolist() == [45, 50]
    assert any("currency" in note for note in table.notes)


def test_tabs_with_grouped_digits_are_no_decimals(written):
    assert written("a\tb\n1,234\t5\n12,345\t6\n").frame["a"].tolist() == [1234, 12345]


@pytest.mark.parametrize("word", ["", "?", " ?", "NA", "N/A", "nan", "NULL", "#N/A"])
def test_missing(written, word):
    frame = written(f"a,b\n1,x\n{word},y\n3,{word}\n").frame
    assert frame["a"].isna().tolist() == [False, True, False]
    assert frame["b"].isna().tolist() == [False, False, True]


def test_none_is_a_category_in_text_and_missing_among_numbers(written):
    rows = "\n".join(f"{i},None,x" for i in range(30))
    table = written(f"a,b,c\nNone,None,y\n{rows}\n")
    assert np.isnan(table.frame["a"][0])
    assert table.frame["b"].unique().tolist() == ["None"]
    assert any("'a'" in note and "None" in note for note in table.notes)


def test_a_few_strange_cells_among_many_numbers(written):
    rows = "\n".join(f"{i},1" for i in range(100))
    table = written(f"a,b\n{rows}\n12 or so,1\n")
    assert table.frame["a"].dtype == np.float64
    assert table.frame["a"].isna().sum() == 1
    assert any("12 or so" in note for note in table.notes)


def test_half_numbers_are_text(written):
    frame = written("a,b\n" + "\n".join(["A12,1", "13,2"] * 20)).frame
    assert frame["a"].dtype == object


def test_booleans(written):
    frame = written("a,b,c\nTrue,yes,TRUE\nfalse,no,\nTrue,yes,FALSE\n").frame
    assert frame["a"].dtype == bool
    assert frame["b"].tolist() == ["yes", "no", "yes"]
    assert frame["c"].tolist()[::2] == [True, False]
    assert frame["c"].isna()[1]


def test_infinity_is_missing_and_said(written):
    table = written("a,b\ninf,1\n2,2\n-inf,3\n")
    assert table.frame["a"].isna().sum() == 2
    assert any("infinite" in note for note in table.notes)


@pytest.mark.parametrize("quoted", ["x,y", "two\nlines", 'a ""quote""'])
def test_quotes(written, quoted):
    frame = written(f'a,b\n1,"{quoted}"\n2,z\n').frame
    assert frame["b"][0] == quoted.replace('""', '"')


def test_not_utf8(written):
    table = written("stra\u00dfe,b\n1,\u00e9\n2,y\n".encode("cp1252"))
    assert list(table.frame.columns) == ["stra\u00dfe", "b"]
    assert any("Windows-1252" in note for note in table.notes)


class TestHeader:
    def test_none(self, written):
        table = written("39, Private, <=50K\n50, ?, >50K\n38, Private, <=50K\n")
        assert list(table.frame.columns) == ["column_1", "column_2", "column_3"]
        assert len(table.frame) == 3
        assert any("no header" in note for note in table.notes)

    def test_none_and_no_numbers(self, written):
        frame = written("red,yes\nblue,no\nred,no\nblue,yes\n").frame
        assert list(frame.columns) == ["column_1", "column_2"]

    def test_text_columns_below_names(self, written):
        frame = written("colour,ok\nred,yes\nblue,no\nred,no\n").frame
        assert list(frame.columns) == ["colour", "ok"]

    @pytest.mark.parametrize("names", ["0,1,2", "1,2,3", "2001,2002,2003"])
    def test_names_that_are_numbers(self, written, names):
        frame = written(f"{names}\n5,6,7\n8,9,1\n").frame
        assert list(frame.columns) == names.split(",")

    def test_names_some_of_which_are_numbers(self, written):
        frame = written("0,1,2,y\n0.5,1.5,2.5,a\n1.5,2.5,3.5,b\n").frame
        assert list(frame.columns) == ["0", "1", "2", "y"]

    @pytest.mark.parametrize("names", ["a,inf,y", "2019,price,size", "a,b,1e3"])
    def test_one_name_that_is_a_number_among_words(self, written, names):
        frame = written(f"{names}\n0.5,1.5,2.5\n1.5,2.5,3.5\n").frame
        assert list(frame.columns) == names.split(",")

    @pytest.mark.parametrize("first", ["1,?,2", "oops,1,2", "x,?,1"])
    def test_a_first_row_with_gaps_is_no_header(self, written, first):
        table = written(f"{first}\n5,6,7\n8,9,1\n")
        assert list(table.frame.columns) == ["column_1", "column_2", "column_3"]
        assert len(table.frame) == 3

    def test_said_by_the_caller(self, written):
        assert len(written(PLAIN, header=False).frame) == 3
        assert len(written("1,2\n3,4\n", header=True).frame) == 1

    def test_index_without_a_name(self, written):
        table = written(",x,y\n0,a,1\n1,b,2\n")
        assert table.blank_first
        assert list(table.frame.columns) == ["column_1", "x", "y"]

    def test_index_left_out_of_the_header(self, written):
        table = written('"x","y"\n"r1",1,2\n"r2",3,4\n')
        assert table.blank_first
        assert table.frame["y"].tolist() == [2, 4]

    def test_the_same_name_twice(self, written):
        table = written("a,a,b\n1,2,3\n4,5,6\n")
        assert list(table.frame.columns) == ["a", "a.1", "b"]
        with pytest.raises(DataError, match="several columns named 'a'"):
            find_column(table, "a")
        assert find_column(table, "b") == "b"

    def test_a_column_of_the_name_of_a_copy(self, written):
        table = written("a,a,a.1\n1,2,3\n4,5,6\n")
        assert len(set(table.frame.columns)) == 3


BROKEN = {
    "empty": (b"", "is empty"),
    "only newlines": (b"\n\n\n", "is empty"),
    "only a header": (b"a,b\n", "no rows"),
    "binary": (bytes(range(256)) * 4, "not a text table"),
    "zeros": (b"\0" * 100, "not a text table"),
    "png": (b"\x89PNG\r\n\x1a\n....", "PNG"),
    "pdf": (b"%PDF-1.4 ....", "PDF"),
    "excel": (b"PK\x03\x04....", "Excel"),
    "pickle": (b"\x80\x04\x95....", "pickle"),
    "html": (b"<!DOCTYPE html><html></html>", "web page"),
    "cut gzip": (gzip.compress(PLAIN.encode() * 99, mtime=0)[:-12], "cut short"),
    "damaged gzip": (b"\x1f\x8b" + b"junk" * 10, "damaged"),
    "empty in gzip": (gzip.compress(b"", mtime=0), "is empty"),
    "binary in gzip": (gzip.compress(bytes(range(256)), mtime=0), "not a text table"),
    "damaged parquet": (b"PAR1" + b"junk" * 10, "damaged Parquet"),
    "a line too long": (b"a,b\n1,2\n3,4,5\n6,7\n", "line 3: 3 cells"),
    "an open quote": (b'a,b\n1,"x\n2,y\n', "quote"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_files(written, kind):
    content, words = BROKEN[kind]
    with pytest.raises(DataError, match=words) as caught:
        written(content)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("t.csv")


def test_short_lines_are_filled_up_and_counted(written):
    table = written("a,b,c\n1,2\n4,5,6\n7,8,9\n")
    assert table.frame["c"].isna().tolist() == [True, False, False]
    assert any("1 line has fewer" in note for note in table.notes)


def test_absent_file_names_its_neighbours(tmp_path):
    (tmp_path / "houses.csv").write_text(PLAIN)
    with pytest.raises(DataError, match=r"no file .*'houses.csv'"):
        read_table(tmp_path / "huoses.csv")
    with pytest.raises(DataError, match="no file"):
        read_table(tmp_path / "nowhere" / "t.csv")


def test_folder(tmp_path):
    with pytest.raises(DataError, match="is a folder"):
        read_table(tmp_path)


def test_a_name_with_a_zero():
    with pytest.raises(DataError, match="cannot be read"):
        read_table("a\0b")


def test_standard_input(monkeypatch):
    class Stdin:
        buffer = io.BytesIO(PLAIN.encode())

    monkeypatch.setattr("sys.stdin", Stdin)
    assert read_table("-").frame.shape == (2, 2)


def test_a_very_long_cell(written):
    frame = written("a,b\n1," + "x" * 200_000 + "\n2,y\n").frame
    assert len(frame["b"][0]) == 200_000


class TestParquet:
    def read(self, frame, tmp_path, **kwargs):
        path = tmp_path / "t.parquet"
        frame.to_parquet(path, **kwargs)
        return read_table(path)

    def test_types(self, tmp_path):
        frame = pd.DataFrame(
            {
                "i": pd.array([1, None, 3], dtype="Int64"),
                "f": [1.5, np.inf, 2.5],
                "s": pd.Series(["a", None, "b"]),
                "c": pd.Categorical(["x", "y", "x"]),
                "b": pd.array([True, None, False], dtype="boolean"),
                "d": pd.to_datetime(["2024-01-01", None, "2024-01-03"], utc=True),
                "t": pd.to_timedelta([1, 2, 3], unit="h"),
                "m": [decimal.Decimal("1.5"), None, decimal.Decimal("2.5")],
                "day": [datetime.date(2024, 1, 1), None, datetime.date(2024, 1, 2)],
            }
        )
        found = self.read(frame, tmp_path).frame
        assert found["i"].tolist()[::2] == [1.0, 3.0]
        assert np.isnan(found["f"][1])
        assert found["s"].tolist()[::2] == ["a", "b"]
        assert found["c"].tolist() == ["x", "y", "x"]
        assert found["b"].tolist()[::2] == [True, False]
        assert found["d"].dtype.kind == "M"
        assert found["t"].tolist() == [3600.0, 7200.0, 10800.0]
        assert found["m"].tolist()[::2] == [1.5, 2.5]
        assert found["day"].dtype.kind == "M"

    def test_index(self, tmp_path):
        frame = pd.DataFrame({"x": [1, 2]}, index=pd.Index(["u", "v"], name="who"))
        assert list(self.read(frame, tmp_path).frame.columns) == ["who", "x"]
        frame = pd.DataFrame({"x": [1, 2]}, index=[5, 7])
        assert list(self.read(frame, tmp_path).frame.columns) == ["x"]

    def test_gzipped_and_empty(self, tmp_path):
        path = tmp_path / "t.parquet"
        pd.DataFrame({"x": [1, 2]}).to_parquet(path)
        packed = tmp_path / "t.parquet.gz"
        packed.write_bytes(gzip.compress(path.read_bytes()))
        assert read_table(packed).frame["x"].tolist() == [1, 2]
        pd.DataFrame({"x": []}).to_parquet(path)
        with pytest.raises(DataError, match="no rows"):
            read_table(path)


def test_data_frames_keep_their_text():
    frame = pd.DataFrame({"code": ["001", "002"], 5: [1, 2]}, index=[7, 7])
    table = table_from(frame)
    assert table.frame["code"].tolist() == ["001", "002"]
    assert list(table.frame.columns) == ["code", "5"]
    assert frame.index.tolist() == [7, 7]


def test_frame_with_equal_names():
    frame = pd.DataFrame([[1, 2]], columns=["a", "a"])
    with pytest.raises(DataError, match="several columns named 'a'"):
        table_from(frame)


def test_absent_column_names_the_nearest(written):
    table = written("Survived,Age\n1,2\n0,3\n")
    with pytest.raises(DataError, match=r"no column 'survivd'; the nearest are 'Survived'"):
        find_column(table, "survivd")
    with pytest.raises(DataError, match="there are 'Survived', 'Age'"):
        find_column(table, "zzz")
    assert find_column(table, " Age ") == "Age"


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("adult.data.gz", (32561, 15)),
        ("ames.csv.gz", (2930, 75)),
        ("bike_sharing_hour.csv.gz", (17379, 17)),
        ("penguins.csv.gz", (344, 8)),
        ("titanic_train.csv.gz", (891, 12)),
        ("spambase.csv.gz", (4601, 58)),
        ("portland_housing.csv", (47, 3)),
    ],
)
def test_real_tables(real_data, name, shape):
    table = read_table(real_data(f"tabular/{name}"))
    assert table.frame.shape == shape
    # as many missing values as pandas finds in the columns of numbers
    if ".csv" in name and name != "portland_housing.csv":
        other = pd.read_csv(real_data(f"tabular/{name}"), skipinitialspace=True)
        for column in other.select_dtypes("number"):
            mine = table.frame[column.strip()]
            assert mine.isna().sum() == other[column].isna().sum()
            np.testing.assert_array_equal(mine.to_numpy(float), other[column].to_numpy(float))
