"""What changes letters: the only writers of the package, each change with its event."""
