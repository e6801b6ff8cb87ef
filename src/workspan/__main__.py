"""``python -m workspan``: the command line."""

from workspan.cli.main import main

if __name__ == "__main__":
    main()
