"""The command line: parse, one call, print. Imports nothing heavy before it is needed."""
