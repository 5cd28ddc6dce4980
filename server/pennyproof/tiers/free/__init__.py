"""Program repair with no model: localise the fault, edit by template, rank what the tests let through."""
