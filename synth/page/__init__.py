"""Makes pages to listen to: one file of HTML for each topic, beside its audio (docs/reference/pages.md)."""
