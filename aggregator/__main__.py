"""`python -m aggregator` is the same command as `aggregator`."""

from aggregator.cli import main

if __name__ == "__main__":
    main(prog_name="aggregator")
