"""Where data files live, and how they get there: download once, check, keep."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RemoteFile:
    """A file of a data set: where it lies in the data folder and where it comes from."""

    path: str  # relative to the data folder
    url: str
    checksum: str
    algorithm: str = "sha256"  # or "md5", where the authors give no other


class DataUnavailableError(OSError):
    """A data file is neither in the data folder nor to be had over the network."""


def data_home(folder: str | os.PathLike[str] | None = None) -> Path:
    """Return the folder of the data files: the argument, else `KISO_DATA`, else a cache folder.

    Examples
    --------
    >>> data_home("somewhere").name
    'somewhere'
    """
    if folder is not None:
        return Path(folder).expanduser()
    if setting := os.environ.get("KISO_DATA"):
        return Path(setting).expanduser()
    import pooch

    return Path(pooch.os_cache("kiso")) / "data"


def locate(
    file: RemoteFile, folder: str | os.PathLike[str] | None = None, *, progress: bool = False
) -> Path:
    """Return the path of a data file; download it first where it is absent.

    A file that lies in the folder is checked against its checksum; a download that breaks
    off leaves nothing behind.

    Raises
    ------
    DataUnavailableError
        Without network; the message says which file to put where.
    ValueError
        If the file in the folder, or what came over the network, is not the right one.
    """
    import pooch

    path = data_home(folder) / file.path
    if path.exists():
        if pooch.file_hash(str(path), file.algorithm) != file.checksum:
            raise ValueError(
                f"{path} is damaged or another file (its {file.algorithm} is not "
                f"{file.checksum[:12]}…): remove it, and it will be downloaded again"
            )
        return path
    pooch.get_logger().setLevel("WARNING")
    try:
        pooch.retrieve(
            file.url,
            known_hash=f"{file.algorithm}:{file.checksum}",
            fname=path.name,
            path=path.parent,
            downloader=pooch.HTTPDownloader(timeout=30, progressbar=_bar(path.name, progress)),
        )
    except OSError as error:  # requests' errors are OSErrors, and so is a full disk
        raise DataUnavailableError(
            f"{path.name} is not at hand and could not be downloaded ({type(error).__name__}). "
            f"Get {file.url} and save it as {path}"
        ) from error
    return path


class _RichBar:
    """What pooch asks of a progress bar (tqdm's interface), drawn by rich on standard error."""

    def __init__(self, name: str):
        from rich.console import Console
        from rich.progress import Progress

        self.progress = Progress(console=Console(stderr=True), transient=True)
        self.task = self.progress.add_task(name, total=None)

    @property
    def total(self) -> float | None:
        return self.progress.tasks[self.task].total

    @total.setter
    def total(self, value: float) -> None:
        self.progress.update(self.task, total=value)
        self.progress.start()

    def update(self, amount: int) -> None:
        self.progress.update(self.task, advance=amount)

    def reset(self) -> None:
        self.progress.update(self.task, completed=0)

    def close(self) -> None:
        self.progress.stop()


def _bar(name: str, progress: bool) -> _RichBar | bool:
    return _RichBar(name) if progress else False
