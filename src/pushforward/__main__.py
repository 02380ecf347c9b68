"""`python -m pushforward` is the command line."""

from pushforward.faces.cli.main import main

main()
