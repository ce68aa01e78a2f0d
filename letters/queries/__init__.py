"""Reads of letters for pages and jobs."""
