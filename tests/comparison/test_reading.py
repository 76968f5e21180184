"""Tables as people have them: encodings, what stands around a table, numbers, dates."""

import numpy as np
import pandas as pd
import pytest

from kiso.comparison import DataError, classify_columns, pose, read_table, table_from


@pytest.fixture
def read(tmp_path):
    def go(content, **options):
        path = tmp_path / "t.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_table(path, **options)

    return go


def column(read, cells, name="x", **options):
    """Read a table with these cells in one column beside a plain one."""
    body = "".join(f'"{cell}",{i}.5\n' for i, cell in enumerate(cells))
    return read(f"{name},other\n{body}", **options)


class TestEncodings:
    @pytest.mark.parametrize("rows", [1, 40])
    @pytest.mark.parametrize(
        ("codec", "header", "line"),
        [
            ("cp932", "名前,年齢,都市", "山田太郎,34,東京\n鈴木花子,28,大阪\n佐藤次郎,41,名古屋"),
            ("cp932", "品名,価格,産地", "りんご,120,青森\nみかん,80,愛媛\nぶどう,300,山梨"),
            ("euc_jp", "品名,価格,産地", "りんご,120,青森\nみかん,80,愛媛\nぶどう,300,山梨"),
            ("gb18030", "姓名,年龄,城市", "张伟,34,北京\n王芳,28,上海\n李娜,41,广州"),
            ("gb18030", "产品,价格,产地", "苹果,10,山东\n香蕉,20,海南\n梨子,30,河北"),
            ("euc_kr", "이름,나이,도시", "김철수,34,서울\n이영희,28,부산\n박민수,41,대구"),
            ("big5", "姓名,年齡,城市", "陳大文,34,臺北\n林小明,28,高雄\n黃美麗,41,臺中"),
            ("cp1251", "имя,возраст,город", "Иван,34,Москва\nМария,28,Казань\nПётр,41,Сочи"),
            ("cp1252", "nom,âge,ville", "José,34,São Paulo\nRené,28,Besançon\nBjörn,41,Malmö"),
            ("cp1250", "imię,wiek,miasto", "Łukasz,34,Łódź\nŻaneta,28,Kraków\nTomáš,41,Žďár"),
            ("utf-16", "名前,年齢,都市", "山田一郎,34,東京\nMüller,28,Köln\nLi,41,京都"),
            ("utf-16-le", "名前,年齢,都市", "山田一郎,34,東京\nMüller,28,Köln\nLi,41,京都"),
            ("utf-16-be", "a,b,c", "x,34,y\nu,28,v\nw,41,z"),
            ("utf-8-sig", "a,b,c", "ü,34,y\nu,28,v\nw,41,z"),
        ],
    )
    def test_found(self, read, codec, header, line, rows):
        table = read((header + "\n" + "\n".join([line] * rows) + "\n").encode(codec))
        assert list(table.frame.columns) == header.split(",")
        first = line.split("\n")[0].split(",")
        assert table.frame.iloc[0].astype(str).tolist() == first
        assert any("read as" in note for note in table.notes) == (not codec.startswith("utf-8"))

    def test_given(self, read):
        raw = "é,b\n1,2\n3,4\n".encode("cp437")
        assert list(read(raw, encoding="cp437").frame.columns) == ["é", "b"]
        with pytest.raises(DataError, match="no encoding 'klingon'"):
            read(raw, encoding="klingon")
        with pytest.raises(DataError, match="is not in utf-8"):
            read(raw, encoding="utf-8")

    def test_the_last_one_is_tried_before_a_guess(self, read):
        raw = "наме,b\nИван,1\n".encode("koi8_r")
        table = read(raw, preferred_encoding="cp1251")
        assert table.decisions.encoding == "cp1251"
        assert read("ü,b\n1,2\n", preferred_encoding="cp1251").decisions.encoding == "utf-8-sig"


BODY = "height,weight,town\n1.7,60,Bonn\n1.8,75,Köln\n1.6,55,Bonn\n1.9,88,Aachen\n"


class TestAround:
    @pytest.mark.parametrize(
        "above",
        [
            "sep=,\n",
            "# exported 2024-01-01\n# by hand\n",
            "Survey of 2024\n\n",
            "Survey of 2024, first wave\nwritten by hand\n\n",
            "Survey,,\nof 2024,,\n,,\n",
            "\n\n",
        ],
    )
    def test_above(self, read, above):
        table = read(above + BODY)
        assert list(table.frame.columns) == ["height", "weight", "town"]
        assert table.frame["weight"].tolist() == [60, 75, 55, 88]
        said = any("above the table skipped" in note for note in table.notes)
        assert said == (above[:3] not in ("sep", "\n\n"))
        assert table.decisions.header_line == above.count("\n") + 1

    def test_directive(self, read):
        table = read("sep=|\na|b\n1,5|2\n2,5|3\n")
        assert table.frame["a"].tolist() == [1.5, 2.5]
        assert table.decisions.delimiter == "|"

    def test_header_in_a_comment(self, read):
        table = read("# made by hand\n# a,b\n1,2\n3,4\n5,6\n")
        assert list(table.frame.columns) == ["a", "b"]
        assert table.frame["b"].tolist() == [2, 4, 6]

    def test_a_column_named_number_sign_is_no_comment(self, read):
        table = read("#,name,x\n1,a,2\n2,b,3\n3,c,4\n")
        assert list(table.frame.columns) == ["#", "name", "x"]

    @pytest.mark.parametrize(
        "below",
        ["Source: the office\n", "\nSource: the office, 2024\n", "\n\n* estimated\nSource: x,,\n"],
    )
    def test_below(self, read, below):
        table = read(BODY + below)
        assert len(table.frame) == 4
        assert table.frame["height"].dtype == np.float64
        assert any("below the table skipped" in note for note in table.notes)
        assert table.decisions.footer[-1][1].startswith("Source")

    def test_a_total_and_a_short_row_are_no_footer(self, read):
        assert len(read(BODY + "7.1,278,Total\n").frame) == 5
        table = read(BODY + "1.5,50\n")
        assert len(table.frame) == 5
        assert any("1 line has fewer cells" in note for note in table.notes)

    def test_units_below_the_names(self, read):
        table = read(BODY.replace("town\n", "town\nm,kg,\n"))
        assert table.frame["weight"].tolist() == [60, 75, 55, 88]
        assert list(table.frame.columns) == ["height", "weight", "town"]
        assert any("second header line (units)" in note for note in table.notes)

    def test_two_lines_of_names(self, read):
        table = read("2019,,2020,\nmean,largest,mean,largest\n1,2,3,4\n5,6,7,8\n9,8,7,6\n")
        assert list(table.frame.columns) == [
            "2019 mean",
            "2019 largest",
            "2020 mean",
            "2020 largest",
        ]
        assert any("joined" in note for note in table.notes)

    def test_delimiters_at_the_end(self, read):
        table = read("a;b\n1;2;;\n3;4;;\n5;6;;\n")
        assert table.frame.to_dict("list") == {"a": [1, 3, 5], "b": [2, 4, 6]}
        table = read("a;b;;\n1;2;;\n3;4;;\n5;6;;\n")
        assert table.frame.to_dict("list") == {"a": [1, 3, 5], "b": [2, 4, 6]}

    def test_line_numbers_of_errors_count_what_was_skipped(self, read):
        with pytest.raises(DataError, match="line 6: 4 cells"):
            read("A title\n\n" + BODY.replace("1.6,55,Bonn", "1.6,55,Bonn,x") + "1,2,x\n" * 3)


class TestDecimals:
    def test_three_decimals_everywhere_are_a_guess_by_the_delimiter(self, read):
        table = read("a;b\n28;28,705\n29;1,250\n31;12,000\n")
        assert table.frame["b"].tolist() == [28.705, 1.25, 12.0]
        assert table.decisions.decimal_reason == "guess"
        assert any("a decimal comma is a guess" in note for note in table.notes)
        assert read("a;b\n28;28,705\n29;1,250\n", decimal=".").frame["b"].tolist() == [28705, 1250]

    def test_another_column_tells(self, read):
        table = read("a;b\n1,5;28,705\n2,5;1,250\n")
        assert table.frame["b"].tolist() == [28.705, 1.25]
        assert table.decisions.decimal_reason == "found"
        table = read("a;b\n1.5;28,705\n2.5;1,250\n")
        assert table.frame["b"].tolist() == [28705, 1250]
        table = read("a;b\n1,5;28.705\n2,5;1.250\n")
        assert table.frame["b"].tolist() == [28705, 1250]

    def test_the_whole_file_counts_and_not_its_first_lines(self, read):
        rows = "".join(f"{i};28,705\n" for i in range(20_000))
        table = read("a;b\n" + rows.replace(",", ".") + "7;0.5\n")
        assert table.frame["b"].iloc[0] == 28.705
        assert table.decisions.decimal == "."
        assert table.decisions.decimal_reason == "found"

    def test_no_doubt_no_note(self, read):
        assert read("a,b\n1.125,2\n2.250,3\n").notes == []

    def test_wrong_mark(self, read):
        with pytest.raises(DataError, match="neither"):
            read("a;b\n1;2\n", decimal=";")


class TestNumbers:
    @pytest.mark.parametrize(
        ("cells", "values", "unit"),
        [
            (["(1,200)", "3,400", "(5)"], [-1200, 3400, -5], ""),
            (["\u22125", "7", "\u22121.5"], [-5, 7, -1.5], ""),
            (["1\u00a0200", "12\u202f345.5", "7"], [1200, 12345.5, 7], ""),
            (["1'200", "12’345", "7"], [1200, 12345, 7], ""),
            (["12,34,567", "1,00,000", "500"], [1234567, 100000, 500], ""),
            (["$5", "$1,200.50", "$7"], [5, 1200.5, 7], "$"),
            (["R$ 5", "R$ 1200", "R$ 7"], [5, 1200, 7], "R$"),
            (["₹ 1,00,000", "₹5", "₹7"], [100000, 5, 7], "₹"),
            (["5 USD", "USD 7", "9 USD"], [5, 7, 9], "USD"),
            (["CHF 1'200", "CHF 5", "CHF 7"], [1200, 5, 7], "CHF"),
            (["95 kr", "kr 100", "7 kr"], [95, 100, 7], "kr"),
            (["100円", "2,000円", "5円"], [100, 2000, 5], "円"),
            (["5元", "7元", "8元"], [5, 7, 8], "元"),
            (["45%", "50 %", "7%"], [45, 50, 7], "%"),
            (["22.8k", "950", "1.2k"], [22800, 950, 1200], ""),
            (["228.3 km", "5 km", "7 km"], [228.3, 5, 7], "km"),
            (["36 months", "1 month", "60 months"], [36, 1, 60], "month"),
        ],
    )
    def test_written_in_many_ways(self, read, cells, values, unit):
        table = column(read, cells * 5)
        assert table.frame["x"].tolist() == pytest.approx(values * 5)
        assert table.decisions.columns["x"].unit == unit
        assert bool(unit) == any("'x'" in note for note in table.notes)

    def test_several_units_are_no_number(self, read):
        table = column(read, ["5 km", "300 m", "7 km", "200 m"] * 6)
        assert table.frame["x"].dtype == object
        assert any("several units" in note for note in table.notes)

    def test_odd_cells_are_named(self, read):
        cells = [str(i) for i in range(100)]
        cells[6], cells[41] = "about 7", "?!"
        table = column(read, cells)
        assert table.frame["x"].isna().sum() == 2
        assert table.decisions.columns["x"].odd == [(6, "about 7"), (41, "?!")]
        assert any("2 cells that are no numbers count as missing (row 7: 'about 7', row 42" in n
                   for n in table.notes)  # fmt: skip
        cells[41] = "41"
        assert any("1 cell that is no number counts" in n for n in column(read, cells).notes)

    def test_too_many_odd_cells_make_text_and_say_so(self, read):
        cells = [str(i) for i in range(60)]
        cells[::10] = ["bad"] * 6
        table = column(read, cells)
        assert table.frame["x"].dtype == object
        assert any("taken as text: 6 of its 60 cells are no numbers (row 1: 'bad'" in n
                   for n in table.notes)  # fmt: skip


class TestKept:
    def test_leading_zeros(self, read):
        table = read("zip,code,price\n01067,007,1\n80331,012,2\n20095,100,3\n")
        assert table.frame["zip"].tolist() == ["01067", "80331", "20095"]
        assert table.frame["code"].tolist() == ["007", "012", "100"]
        assert table.frame["price"].dtype == np.int64

    def test_class_names_keep_their_zeros(self, read):
        table = read("x,y\n" + "".join(f"{i},0{i % 3}\n" for i in range(30)))
        assert pose(table, "y").data.class_names == ["00", "01", "02"]

    def test_decimals_below_one_are_numbers(self, read):
        assert read("a,b\n0.5,00.5\n0.25,1\n").frame["a"].tolist() == [0.5, 0.25]

    @pytest.mark.parametrize("gap", ["", "NA"])
    def test_long_whole_numbers_are_not_rounded(self, read, gap):
        table = read(f"id,x\n9007199254740993,1\n{gap},2\n9007199254740995,3\n")
        found = table.frame["id"]
        assert found[0] == 9007199254740993
        assert found[2] == 9007199254740995
        assert found.isna().tolist() == [False, True, False]

    def test_longer_ones_are_text(self, read):
        table = read("id,x\n123456789012345678901,1\n123456789012345678902,2\n")
        assert table.frame["id"].tolist() == ["123456789012345678901", "123456789012345678902"]

    def test_long_numbers_of_data_frames(self):
        frame = pd.DataFrame({"id": pd.array([2**53 + 1, None, 5], dtype="Int64"), "x": [1, 2, 3]})
        assert table_from(frame).frame["id"][0] == 2**53 + 1

    def test_categories_of_data_frames(self):
        rng = np.random.default_rng(0)
        codes = rng.integers(0, 8, 200)
        frame = pd.DataFrame({"k": pd.Categorical(codes), "x": rng.normal(size=200)})
        table = table_from(frame)
        assert [c.kind for c in classify_columns(table.frame)] == ["category", "number"]
        frame["y"] = pd.Categorical(rng.integers(0, 25, 200))
        problem = pose(table_from(frame), "y")
        assert problem.task == "classification"
        assert len(problem.data.class_names) == 25

    def test_a_category_is_used_as_one(self):
        from kiso.comparison import compare

        rng = np.random.default_rng(0)
        codes = rng.integers(0, 8, 300)
        level = rng.normal(size=8) * 5
        frame = pd.DataFrame({"k": pd.Categorical(codes), "x": rng.normal(size=300)})
        frame["y"] = level[codes] + 0.1 * rng.normal(size=300)
        options = {"models": ["ridge"], "n_repeats": 1, "explain": False}
        assert compare(frame, "y", **options).best.mean > 0.99

    def test_told_to_be_text(self, read):
        table = read("a,b\n1,2\n3,4\n", text=["a"])
        assert table.frame["a"].tolist() == ["1", "3"]


class TestDates:
    @pytest.mark.parametrize(
        ("cells", "first"),
        [
            (["01.02.23", "15.03.24"], "2023-02-01"),
            (["01/31/23 13:00", "02/01/23 09:30"], "2023-01-31T13"),
            (["2023年1月2日", "2024年12月31日"], "2023-01-02"),
            (["2000-Q2", "2001-Q4"], "2000-04-01"),
            (["Q3 1999", "Q1 2000"], "1999-07-01"),
            (["Mar 2021", "Apr 2022"], "2021-03-01"),
            (["2021-W03", "2020-W53"], "2021-01-18"),
            (["2020-01-05", "2021-03-06"], "2020-01-05"),
            (["31/12/2020", "01/02/2021"], "2020-12-31"),
        ],
    )
    def test_forms(self, read, cells, first):
        from kiso.comparison import DateParts

        table = column(read, cells * 10)
        kinds = {c.name: c.kind for c in classify_columns(table.frame)}
        assert kinds["x"] == "date"
        years = DateParts().fit_transform(table.frame[["x"]])[0, 0]
        days = years * 365.2425
        assert days == pytest.approx(np.datetime64(first, "h").astype(float) / 24, abs=0.01)

    @pytest.mark.parametrize("scale", [1, 1000])
    def test_seconds_since_1970(self, read, scale):
        table = read(
            "timestamp,x\n" + "".join(f"{(1_600_000_000 + 60 * i) * scale},{i}\n" for i in range(9))
        )
        assert table.frame["timestamp"].dtype.kind == "M"
        assert table.frame["timestamp"][0] == pd.Timestamp("2020-09-13 12:26:40")
        assert any("since 1970" in note for note in table.notes)
        assert read("price,x\n1600000000,1\n1600000060,2\n").frame["price"].dtype.kind == "i"

    def test_one_unknown_among_200_stays_one_missing_value(self, read):
        days = [str(d) for d in np.arange("2020-01-01", "2020-07-19", dtype="datetime64[D]")]
        days[70] = "unknown"
        table = column(read, days)
        assert {c.name: c.kind for c in classify_columns(table.frame)}["x"] == "date"
        assert table.frame["x"].isna().sum() == 1
        assert table.decisions.columns["x"].odd == [(70, "unknown")]
        assert any("row 71: 'unknown'" in note for note in table.notes)


class TestOptions:
    def test_codes_for_missing(self, read):
        text = "a,b,c\n1,-999,x\n-999,5,n.v.\n3,9999,y\n"
        table = read(text, missing=["-999", "n.v.", "b=9999"])
        assert table.frame["a"].isna().tolist() == [False, True, False]
        assert table.frame["b"].isna().tolist() == [True, False, True]
        assert table.frame["c"].isna().tolist() == [False, True, False]
        assert read(text, missing=["a=9999"]).frame["b"].tolist() == [-999, 5, 9999]

    def test_rows_left_out(self, read):
        table = read("a,b\n1,2\n3,4\n5,6\n", drop_rows=[1, 3])
        assert table.frame["a"].tolist() == [3]
        assert "2 rows left out, as asked." in table.notes
        with pytest.raises(DataError, match="no row 9; its rows go from 1 to 3"):
            read("a,b\n1,2\n3,4\n5,6\n", drop_rows=[9])

    def test_delimiter(self, read):
        assert list(read("a:b\n1:2\n3:4\n", delimiter=":").frame.columns) == ["a", "b"]

    def test_decisions_are_data(self, read):
        found = read("A title\na;b\n1,5;5 km\n2,5;7 km\n3,5;8 km\n").decisions
        assert (found.delimiter, found.decimal, found.decimal_reason) == (";", ",", "found")
        assert found.header_line == 2
        assert found.skipped == [(1, "A title")]
        assert {name: c.kind for name, c in found.columns.items()} == {"a": "number", "b": "number"}
        assert found.columns["b"].unit == "km"
