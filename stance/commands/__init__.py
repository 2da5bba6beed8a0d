"""What each command of the command line does; ``stance.cli`` reads the arguments and calls it."""
