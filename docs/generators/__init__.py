"""What writes the generated pages of the documentation, one module for one kind of source."""
