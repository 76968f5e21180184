"""Rows of files that do not fit in memory."""

from kiso._parts._parquet import ParquetRows, parquet_rows

__all__ = ["ParquetRows", "parquet_rows"]
