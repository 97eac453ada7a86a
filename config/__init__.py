"""What can be written in a file, and what ships with the product: formats, catalogues, profiles, examples."""
