"""`python -m kiso.cli`: the command where its script is not on the path."""

from kiso.cli import main

if __name__ == "__main__":
    main(prog_name="kiso")
