"""What a proof needs beside a stack: the file of tasks, the sandbox of their checks, the file of results."""
