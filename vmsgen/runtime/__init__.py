"""What generated code needs: visitors, codecs, facts, limits and errors. Standard library only."""
