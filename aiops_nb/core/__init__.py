"""Data types, schemas and seams; imports no other room."""
